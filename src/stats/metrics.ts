/**
 * The table of everything that is counted: one row per field of the stats, in nutcracker's order.
 * The rows feed the JSON of the stats port, the text of --describe-stats, README's check and tests.
 *
 * A counter only grows; a gauge is what is now; a timestamp is microseconds since 1970, 0 = never;
 * a state is printed as its word. nutcracker's rows come first, and ours behind them.
 * A new number is a field in counters.ts, a row here and a += where it happens. Twin: nc_stats.h.
 */

import type { PoolCounters, ProcessGauges, ServerCounters } from "./counters.ts";

export interface Metric<Field> {
  /** In the JSON and in --describe-stats. */
  readonly name: string;
  /** In counters.ts. */
  readonly field: Field;
  readonly kind: "counter" | "gauge" | "timestamp" | "state";
  readonly help: string;
}

/** Behind nutcracker's numbers about the process, of which --describe-stats says nothing. */
export const PROCESS_METRICS: readonly Metric<keyof ProcessGauges>[] = [
  {
    name: "buffer_bytes",
    field: "bufferBytes",
    kind: "gauge",
    help: "current bytes in all buffers",
  },
  {
    name: "buffer_bytes_max",
    field: "bufferBytesMax",
    kind: "gauge",
    help: "most bytes in all buffers (max_buffer_memory)",
  },
  {
    name: "waiting_clients",
    field: "waitingClients",
    kind: "gauge",
    help: "# clients waiting for buffer memory",
  },
  { name: "descriptors", field: "descriptors", kind: "gauge", help: "# open file descriptors" },
  {
    name: "descriptors_max",
    field: "descriptorsMax",
    kind: "gauge",
    help: "# file descriptors there may be, 0 = no limit",
  },
];

export const POOL_METRICS: readonly Metric<keyof PoolCounters>[] = [
  {
    name: "client_eof",
    field: "clientEof",
    kind: "counter",
    help: "# eof on client connections",
  },
  {
    name: "client_err",
    field: "clientErr",
    kind: "counter",
    help: "# errors on client connections",
  },
  {
    name: "client_connections",
    field: "clientConnections",
    kind: "gauge",
    help: "# active client connections",
  },
  {
    name: "server_ejects",
    field: "serverEjects",
    kind: "counter",
    help: "# times backend server was ejected",
  },
  {
    name: "forward_error",
    field: "forwardError",
    kind: "counter",
    help: "# times we encountered a forwarding error",
  },
  {
    name: "fragments",
    field: "fragments",
    kind: "counter",
    help: "# fragments created from a multi-vector request",
  },
];

export const SERVER_METRICS: readonly Metric<keyof ServerCounters>[] = [
  {
    name: "server_eof",
    field: "serverEof",
    kind: "counter",
    help: "# eof on server connections",
  },
  {
    name: "server_err",
    field: "serverErr",
    kind: "counter",
    help: "# errors on server connections",
  },
  {
    name: "server_timedout",
    field: "serverTimedout",
    kind: "counter",
    help: "# timeouts on server connections",
  },
  {
    name: "server_connections",
    field: "serverConnections",
    kind: "gauge",
    help: "# active server connections",
  },
  {
    name: "server_ejected_at",
    field: "serverEjectedAt",
    kind: "timestamp",
    help: "timestamp when server was ejected in usec since epoch",
  },
  { name: "requests", field: "requests", kind: "counter", help: "# requests" },
  { name: "request_bytes", field: "requestBytes", kind: "counter", help: "total request bytes" },
  { name: "responses", field: "responses", kind: "counter", help: "# responses" },
  { name: "response_bytes", field: "responseBytes", kind: "counter", help: "total response bytes" },
  { name: "in_queue", field: "inQueue", kind: "gauge", help: "# requests in incoming queue" },
  {
    name: "in_queue_bytes",
    field: "inQueueBytes",
    kind: "gauge",
    help: "current request bytes in incoming queue",
  },
  { name: "out_queue", field: "outQueue", kind: "gauge", help: "# requests in outgoing queue" },
  {
    name: "out_queue_bytes",
    field: "outQueueBytes",
    kind: "gauge",
    help: "current request bytes in outgoing queue",
  },
  {
    name: "server_state",
    field: "serverState",
    kind: "state",
    help: "healthy, suspect, probing or ejected",
  },
];

/** The word of each ServerState. */
export const STATE_WORDS: readonly string[] = ["healthy", "suspect", "probing", "ejected"];
