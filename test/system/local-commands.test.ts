/**
 * Commands that the proxy answers itself: in Redis' shapes, for RESP2 and RESP3.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2, pool: { hash_tag: "{}" } });
});

beforeEach(async () => {
  client = await pool.connect();
});

afterEach(() => client?.close());

afterAll(() => pool?.[Symbol.asyncDispose]());

/** The text of a bulk string or a verbatim string. */
function textOf(reply: string): string {
  const match = /^\$\d+\r\n(.*)\r\n$/s.exec(reply) ?? /^=\d+\r\ntxt:(.*)\r\n$/s.exec(reply);
  if (match === null) throw new Error(`no text: ${JSON.stringify(reply)}`);
  return match[1] as string;
}

/** One line of CLIENT LIST as a record. */
function fieldsOf(line: string): Record<string, string> {
  const fields = line.trim().split(" ");
  return Object.fromEntries(fields.map((field) => field.split("=", 2) as [string, string]));
}

test("INFO has the sections that are asked for", async () => {
  const all = textOf(await client.call("INFO"));
  for (const line of ["# Server", "redis_version:7.", "loading:0", "role:master", "# Proxy"]) {
    expect(all).toContain(line);
  }
  expect(all).toMatch(/\r\nconnected_clients:1\r\n/);
  expect(all).toMatch(/\r\npool:alpha\r\n/);
  expect(all).toMatch(/\r\nservers:2\r\n/);
  expect(all).toMatch(/\r\nservers_ejected:0\r\n/);
  expect(textOf(await client.call("INFO", "EVERYTHING"))).toContain("# Proxy");
  const some = textOf(await client.call("INFO", "replication", "CLUSTER", "nonsense"));
  expect(some).toBe(
    "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n",
  );
  expect(await client.call("INFO", "nonsense")).toBe("$0\r\n\r\n");
  await client.call("HELLO", "3");
  expect(await client.call("INFO", "cluster")).toBe(
    "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n",
  );
});

test("TIME is the time", async () => {
  const reply = (await client.value("TIME")) as Buffer[];
  expect(Math.abs(Number(reply[0]) - Date.now() / 1000)).toBeLessThan(60);
  expect(Number(reply[1])).toBeWithin(0, 1_000_000);
  expect(await client.call("TIME", "x")).toStartWith("-ERR wrong number");
});

test("CONFIG GET knows what tools ask for, and nothing else of CONFIG passes", async () => {
  expect(await client.call("CONFIG", "GET", "save")).toBe("*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  expect(await client.call("CONFIG", "GET", "append*", "DATABASES")).toBe(
    "*4\r\n$10\r\nappendonly\r\n$2\r\nno\r\n$9\r\ndatabases\r\n$2\r\n16\r\n",
  );
  expect(await client.call("CONFIG", "GET", "nonsense")).toBe("*0\r\n");
  expect(await client.call("CONFIG", "SET", "save", "")).toMatch(/^-ERR CONFIG SET is not supp/);
  expect(await client.call("CONFIG", "GET")).toBe(
    "-ERR wrong number of arguments for 'config|get' command\r\n",
  );
  await client.call("HELLO", "3");
  expect(await client.call("CONFIG", "GET", "save")).toBe("%1\r\n$4\r\nsave\r\n$0\r\n\r\n");
});

test("names and libraries are kept and shown", async () => {
  expect(await client.call("CLIENT", "GETNAME")).toBe("$-1\r\n");
  expect(await client.call("CLIENT", "SETNAME", "worker:1")).toBe("+OK\r\n");
  expect(await client.call("client", "getname")).toBe(bulk("worker:1"));
  expect(await client.call("CLIENT", "SETNAME", "with blank")).toStartWith("-ERR Client names");
  expect(await client.call("CLIENT", "SETINFO", "LIB-NAME", "lib")).toBe("+OK\r\n");
  expect(await client.call("CLIENT", "SETINFO", "lib-ver", "1.2")).toBe("+OK\r\n");
  expect(await client.call("CLIENT", "SETINFO", "lib", "1.2")).toStartWith("-ERR Unrecognized");
  expect(await client.call("CLIENT", "SETINFO", "lib-ver", "1 2")).toStartWith("-ERR lib-ver");
  await client.call("SELECT", "3");
  const id = /^:(\d+)\r\n$/.exec(await client.call("CLIENT", "ID"))?.[1] as string;
  const fields = fieldsOf(textOf(await client.call("CLIENT", "INFO")));
  const expected = {
    id,
    name: "worker:1",
    db: "3",
    resp: "2",
    "lib-name": "lib",
    "lib-ver": "1.2",
  };
  expect(fields).toMatchObject({ ...expected, user: "default", flags: "N" });
  expect(fields["laddr"]).toBe(`127.0.0.1:${pool.proxy.port()}`);
  expect(fields["addr"]).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await client.call("HELLO", "3", "SETNAME", "again")).toContain(`$2\r\nid\r\n:${id}\r\n`);
  expect(await client.call("CLIENT", "GETNAME")).toBe(bulk("again"));
  expect(await client.call("CLIENT", "SETNAME", "")).toBe("+OK\r\n");
  expect(await client.call("CLIENT", "GETNAME")).toBe("_\r\n");
});

test("CLIENT LIST shows the clients of the pool, CLIENT KILL closes them", async () => {
  await eventually(async () => (await pool.proxy.poolStats())["client_connections"] === 1);
  const [first, second, third] = [await pool.connect(), await pool.connect(), await pool.connect()];
  for (const [index, each] of [first, second, third].entries()) {
    await each.call("CLIENT", "SETNAME", `c${index}`);
  }
  const lines = textOf(await client.call("CLIENT", "LIST"))
    .trim()
    .split("\n")
    .map(fieldsOf);
  expect(lines.map((line) => line["name"])).toEqual(["", "c0", "c1", "c2"]);
  const ids = lines.map((line) => line["id"] as string);
  const found = textOf(
    await client.call("CLIENT", "LIST", "ID", ids[1] as string, ids[3] as string),
  );
  expect(found.trim().split("\n").length).toBe(2);
  expect(textOf(await client.call("CLIENT", "LIST", "TYPE", "pubsub"))).toBe("");
  expect(await client.call("CLIENT", "LIST", "TYPE", "x")).toStartWith("-ERR Unknown client type");

  expect(await client.call("CLIENT", "KILL", lines[1]?.["addr"] as string)).toBe("+OK\r\n");
  await first.expectClosed();
  expect(await client.call("CLIENT", "KILL", lines[1]?.["addr"] as string)).toBe(
    "-ERR No such client\r\n",
  );
  expect(await client.call("CLIENT", "KILL", "ID", ids[2] as string)).toBe(":1\r\n");
  await second.expectClosed();
  expect(await client.call("CLIENT", "KILL", "ID", "0")).toStartWith("-ERR ");
  expect(await client.call("CLIENT", "KILL", "NONSENSE", "0")).toBe("-ERR syntax error\r\n");
  expect(await client.call("CLIENT", "KILL", "USER", "nobody")).toStartWith("-ERR No such user");
  // A request in flight of a client that is killed does not end up with somebody else.
  expect(await client.call("CLIENT", "KILL", "TYPE", "normal")).toBe(":1\r\n");
  await third.expectClosed();
  expect(await client.call("CLIENT", "KILL", "SKIPME", "no", "USER", "default")).toBe(":1\r\n");
  await client.expectClosed();
});

test("what CLIENT cannot do is said in words, HELP tells what it can", async () => {
  for (const name of ["TRACKING", "PAUSE", "UNPAUSE", "CACHING"]) {
    expect(await client.call("CLIENT", name, "ON")).toMatch(
      new RegExp(`^-ERR CLIENT ${name} is not supported by this proxy: [a-z]`),
    );
  }
  expect(await client.call("CLIENT", "NONSENSE")).toContain("CLIENT HELP");
  expect(await client.call("CLIENT", "HELP")).toMatch(/^\*\d+\r\n\+CLIENT /);
  expect(await client.call("CLIENT", "NO-EVICT", "on")).toBe("+OK\r\n");
  expect(await client.call("CLIENT", "NO-TOUCH", "x")).toBe("-ERR syntax error\r\n");
  expect(await client.call("CLIENT", "SETNAME")).toContain("'client|setname'");
});

test("CLIENT REPLY hides replies in order, from the servers and from the proxy", async () => {
  const keys = [...(await pool.keysOf(0, 3)), ...(await pool.keysOf(1, 3))];
  await pool.fill(keys);
  const [first, ...rest] = keys as [string, ...string[]];
  const replies = await pipeline(client, 5, [
    ["GET", first],
    ["CLIENT", "REPLY", "SKIP"],
    ["GET", rest[0] as string],
    ["PING"],
    ["CLIENT", "REPLY", "SKIP"],
    ["MGET", ...keys],
    ["CLIENT", "REPLY", "SKIP"],
    ["PING"],
    ["CLIENT", "REPLY", "OFF"],
    ["SET", "hidden", "1"],
    ["MGET", ...keys],
    ["NONSENSE"],
    ["PING"],
    ["CLIENT", "REPLY", "SKIP"],
    ["PING"],
    ["RENAME", keys[0] as string, keys[5] as string],
    ["CLIENT", "REPLY", "ON"],
    ["GET", "hidden"],
    ["MGET", first, "nothing"],
  ]);
  expect(replies).toEqual([
    bulk(valueOf(first)),
    "+PONG\r\n",
    "+OK\r\n",
    bulk("1"),
    `*2\r\n${bulk(valueOf(first))}$-1\r\n`,
  ]);
  // Nothing of a reply that is handed on in pieces is seen, either.
  await client.call("SET", "large", "x".repeat(3_000_000));
  const hidden = [
    ["CLIENT", "REPLY", "OFF"],
    ["GET", "large"],
    ["CLIENT", "REPLY", "ON"],
    ["STRLEN", "large"],
  ];
  expect(await pipeline(client, 2, hidden)).toEqual(["+OK\r\n", ":3000000\r\n"]);
  // Requests that were divided are used again by others, who want their replies.
  const other = await pool.connect();
  for (let i = 0; i < 5; i++) {
    expect(await other.call("MGET", ...keys)).toStartWith("*6\r\n");
    expect(await other.call("GET", first)).toBe(bulk(valueOf(first)));
  }
  other.close();
  expect(await client.call("CLIENT", "REPLY", "x")).toBe("-ERR syntax error\r\n");
  await client.expectOpen();
});

test("RESET makes a client as if it had just come", async () => {
  await client.call("SET", "a", "zero");
  await client.call("HELLO", "3", "SETNAME", "me");
  await client.call("SELECT", "1");
  await client.request("CLIENT", "REPLY", "OFF");
  expect(await client.call("RESET")).toBe("+RESET\r\n");
  expect(await client.call("CLIENT", "GETNAME")).toBe("$-1\r\n");
  expect(await client.call("GET", "a")).toBe(bulk("zero"));
  await using closed = await RedisPool.start({ pool: { redis_auth: "secret" } });
  const locked = await closed.connect();
  expect(await locked.call("RESET")).toBe("+RESET\r\n");
  await locked.call("AUTH", "secret");
  expect(await locked.call("PING")).toBe("+PONG\r\n");
  await locked.call("RESET");
  expect(await locked.call("CLIENT", "LIST")).toStartWith("-NOAUTH ");
  locked.close();
});

test("a client that is killed with requests in flight leaves no reply to others", async () => {
  const victim = await pool.connect();
  const id = /^:(\d+)\r\n$/.exec(await victim.call("CLIENT", "ID"))?.[1] as string;
  const [first, second] = [await pool.keysOf(0, 2), await pool.keysOf(1, 2)];
  const keys = [...first, ...second];
  await pool.fill(keys);
  for (let i = 0; i < 200; i++) void victim.request("MGET", ...keys);
  expect(await client.call("CLIENT", "KILL", "ID", id)).toBe(":1\r\n");
  for (const key of keys) expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  await victim.expectClosed({ allowRest: true });
});

test("AUTH with a user: the words that libraries know", async () => {
  await using closed = await RedisPool.start({
    server: { requirepass: "secret" },
    pool: { redis_auth: "secret" },
  });
  const locked = await closed.connect();
  expect(await locked.call("AUTH", "default", "wrong")).toStartWith("-WRONGPASS ");
  expect(await locked.call("AUTH", "nobody", "secret")).toStartWith("-WRONGPASS ");
  expect(await locked.call("AUTH", "wrong")).toBe("-ERR invalid password\r\n");
  expect(await locked.call("AUTH", "default", "secret")).toBe("+OK\r\n");
  expect(await locked.call("SET", "a", "1")).toBe("+OK\r\n");
  locked.close();
});

test("COMMAND tells what the table has, in Redis' shape", async () => {
  await using server = await RedisServer.start();
  const direct = await server.connect();
  const names = [
    "get",
    "set",
    "mget",
    "mset",
    "zinterstore",
    "xread",
    "ping",
    "rename",
    "nonsense",
  ];
  for (const hello of ["2", "3"]) {
    await client.call("HELLO", hello);
    await direct.call("HELLO", hello);
    const ours = (await client.value("COMMAND", "INFO", ...names)) as unknown[][];
    const theirs = (await direct.value("COMMAND", "INFO", ...names)) as unknown[][];
    expect(ours.length).toBe(names.length);
    for (const [index, name] of names.entries()) {
      const [mine, other] = [ours[index], theirs[index]];
      if (name === "nonsense") expect([mine, other]).toEqual([null, null] as never);
      else {
        expect(String(mine?.[0])).toBe(name);
        expect(mine?.length).toBe(10);
        expect(mine?.slice(3, 6)).toEqual(other?.slice(3, 6) as never);
      }
    }
  }
  expect(await client.call("COMMAND", "INFO", "get")).toStartWith(
    "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n~1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n~0\r\n",
  );
  expect(await client.call("COMMAND", "DOCS", "get", "nonsense")).toStartWith(
    "%1\r\n$3\r\nget\r\n%3\r\n$7\r\nsummary\r\n",
  );
  const all = (await client.value("COMMAND")) as unknown[];
  expect(await client.call("COMMAND", "COUNT")).toBe(`:${all.length}\r\n`);
  const listed = (await client.value(
    "COMMAND",
    "LIST",
    "FILTERBY",
    "PATTERN",
    "*SINTER*",
  )) as Buffer[];
  expect(listed.map(String).sort()).toEqual(["sinter", "sintercard", "sinterstore"]);
  expect(await client.call("COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2")).toBe(
    "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
  );
  expect(await client.call("COMMAND", "GETKEYS", "EVAL", "return 1", "0")).toBe("*0\r\n");
  expect(await client.call("COMMAND", "GETKEYS", "LMPOP", "0", "a", "LEFT")).toStartWith("-ERR ");
  expect(await client.call("COMMAND", "GETKEYS", "PING")).toStartWith(
    "-ERR The command has no key",
  );
  expect(await client.call("COMMAND", "GETKEYS", "FLUSHALL")).toStartWith("-ERR Invalid command");
  expect(await client.call("COMMAND", "GETKEYS", "GET")).toStartWith("-ERR Invalid number");
  direct.close();
});

test("the table says of each command whether it writes, as Redis does", async () => {
  await using server = await RedisServer.start();
  const ours = new Map(
    ((await client.value("COMMAND")) as unknown[][]).map((row) => [
      String(row[0]),
      (row[2] as { text: string }[]).map((flag) => flag.text),
    ]),
  );
  const theirs = (await server.command("COMMAND")) as unknown as [
    Buffer,
    number,
    { text: string }[],
  ][];
  for (const [name, , flags] of theirs) {
    const mine = ours.get(String(name));
    const isReadOnly = flags.some((flag) => flag.text === "readonly");
    const hasKeys = mine?.some((flag) => flag === "readonly" || flag === "write") ?? false;
    // Redis tells it of the subcommands only.
    if (!hasKeys || /^(object|memory|xinfo)$/.test(String(name))) continue;
    expect({ name: String(name), isReadOnly }).toEqual({
      name: String(name),
      isReadOnly: mine?.includes("readonly") ?? false,
    });
  }
});

test("READONLY and READWRITE do no harm", async () => {
  expect(await client.call("READONLY")).toBe("+OK\r\n");
  expect(await client.call("READWRITE")).toBe("+OK\r\n");
});

async function pipeline(
  to: RawClient,
  count: number,
  requests: readonly (readonly string[])[],
): Promise<string[]> {
  for (const request of requests) void to.request(...request);
  return to.readReplies(count);
}
