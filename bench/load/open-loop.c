/*
 * Sends requests at given moments, whatever comes back, and notes when each reply was complete.
 *
 * In C because a JavaScript timer is a millisecond late, ten times what a request takes. Compiled by
 * open-loop.ts in memory, with a compiler that knows no headers here: what is needed is declared.
 * Every byte of every reply is compared.
 */
typedef unsigned char byte;
typedef long long int64;

struct timespec { long seconds; long nanoseconds; };
struct address { unsigned short family; unsigned short port; unsigned int host; byte unused[8]; };
struct event { unsigned int events; unsigned long long data; }
#ifdef __x86_64__
__attribute__((packed))
#endif
;

void *calloc(unsigned long, unsigned long);
void free(void *);
int memcmp(const void *, const void *, unsigned long);
int socket(int, int, int);
int connect(int, const void *, unsigned int);
int setsockopt(int, int, int, const void *, unsigned int);
long send(int, const void *, unsigned long, int);
long recv(int, void *, unsigned long, int);
int close(int);
int clock_gettime(int, struct timespec *);
int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long);
int epoll_create1(int);
int epoll_ctl(int, int, int, struct event *);
int epoll_pwait2(int, struct event *, int, const struct timespec *, const void *);

enum {
  AF_INET_ = 2, SOCK_STREAM_ = 1, IPPROTO_TCP_ = 6, TCP_NODELAY_ = 1, MSG_DONTWAIT_ = 0x40,
  MSG_NOSIGNAL_ = 0x4000, CLOCK_MONOTONIC_ = 1, PR_SET_TIMERSLACK_ = 29, EPOLL_CTL_ADD_ = 1,
  EPOLLIN_ = 1, EVENTS = 64, INPUT = 65536,
};

enum {
  DONE = 0, NO_CONNECTION = 1, NOT_SENT = 2, WRONG_REPLY = 3, UNASKED = 4, CLOSED = 5, SILENCE = 6
};

/* A connection: its requests without reply are a list through `next`, oldest first. */
struct connection { int fd; int oldest; int newest; int64 compared; };

/* Offsets are those of templates: template t is [offsets[t], offsets[t + 1]). */
struct load {
  int64 port;
  int64 connections;
  int64 count;
  const int *template_of;
  const byte *requests;
  const int64 *request_offsets;
  const byte *replies;
  const int64 *reply_offsets;
  const double *intended_ns;
  double *latency_ns;
  double *late_ns;
  int64 silence_ns;
};

static int64 now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_, &now);
  return (int64)now.seconds * 1000000000 + now.nanoseconds;
}

static int open_connection(int port, int poll, int index, struct connection *connection) {
  struct address address = {AF_INET_, (unsigned short)((port >> 8) | (port << 8)), 0x0100007f, {0}};
  struct event event = {EPOLLIN_, (unsigned long long)index};
  int on = 1;
  connection->fd = socket(AF_INET_, SOCK_STREAM_, 0);
  connection->oldest = connection->newest = -1;
  if (connect(connection->fd, &address, sizeof address) != 0) return NO_CONNECTION;
  setsockopt(connection->fd, IPPROTO_TCP_, TCP_NODELAY_, &on, sizeof on);
  return epoll_ctl(poll, EPOLL_CTL_ADD_, connection->fd, &event) == 0 ? DONE : NO_CONNECTION;
}

static int send_request(const struct load *load, struct connection *to, int *next, int request) {
  int template = load->template_of[request];
  int64 start = load->request_offsets[template];
  int64 size = load->request_offsets[template + 1] - start;
  next[request] = -1;
  if (to->oldest < 0) to->oldest = request;
  else next[to->newest] = request;
  to->newest = request;
  long sent = send(to->fd, load->requests + start, size, MSG_DONTWAIT_ | MSG_NOSIGNAL_);
  return sent == size ? DONE : NOT_SENT;
}

/* Compares what came with what must come. `replied` counts the replies that are complete. */
static int receive(const struct load *load, struct connection *from, const int *next,
                   int64 start_ns, int64 *replied) {
  static byte input[INPUT];
  long size = recv(from->fd, input, INPUT, MSG_DONTWAIT_);
  int64 at_ns = now_ns();
  long at = 0;
  if (size <= 0) return CLOSED;
  while (at < size) {
    int request = from->oldest;
    if (request < 0) return UNASKED;
    int template = load->template_of[request];
    int64 first = load->reply_offsets[template] + from->compared;
    int64 part = load->reply_offsets[template + 1] - first;
    int is_whole = part <= size - at;
    if (!is_whole) part = size - at;
    if (memcmp(input + at, load->replies + first, part) != 0) return WRONG_REPLY;
    at += part;
    from->compared += part;
    if (!is_whole) break;
    from->compared = 0;
    from->oldest = next[request];
    load->latency_ns[request] = (double)(at_ns - start_ns) - load->intended_ns[request];
    ++*replied;
  }
  return DONE;
}

static int run(const struct load *load, struct connection *connections, int *next, int poll) {
  struct event events[EVENTS];
  int64 sent = 0, replied = 0, start_ns, heard_ns;
  for (int i = 0; i < load->connections; i++) {
    int status = open_connection((int)load->port, poll, i, &connections[i]);
    if (status != DONE) return status;
  }
  start_ns = heard_ns = now_ns();
  while (replied < load->count) {
    int64 at_ns = now_ns() - start_ns;
    int64 wait_ns = 10000000;
    for (; sent < load->count && load->intended_ns[sent] <= at_ns; sent++) {
      load->late_ns[sent] = at_ns - load->intended_ns[sent];
      int status = send_request(load, &connections[sent % load->connections], next, (int)sent);
      if (status != DONE) return status;
      at_ns = now_ns() - start_ns;
    }
    if (sent < load->count) wait_ns = (int64)load->intended_ns[sent] - at_ns;
    if (wait_ns > 10000000) wait_ns = 10000000;
    struct timespec wait = {0, wait_ns > 0 ? wait_ns : 0};
    int count = epoll_pwait2(poll, events, EVENTS, &wait, 0);
    for (int i = 0; i < count; i++) {
      int status = receive(load, &connections[events[i].data], next, start_ns, &replied);
      if (status != DONE) return status;
      heard_ns = now_ns();
    }
    if (now_ns() - heard_ns > load->silence_ns) return SILENCE;
  }
  return DONE;
}

/* Returns DONE, or what went wrong; the texts are in open-loop.ts. */
int open_loop(const struct load *load) {
  int poll = epoll_create1(0);
  struct connection *connections = calloc(load->connections, sizeof *connections);
  int *next = calloc(load->count, sizeof *next);
  prctl(PR_SET_TIMERSLACK_, 1, 0, 0, 0);
  int status = run(load, connections, next, poll);
  for (int i = 0; i < load->connections; i++) {
    if (connections[i].fd > 0) close(connections[i].fd);
  }
  close(poll);
  free(connections);
  free(next);
  return status;
}
