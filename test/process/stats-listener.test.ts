/**
 * The stats port as a reader of it sees it.
 */
import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { StatsListener } from "../../src/process/stats-listener.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const LOOPBACK = "127.0.0.1";
/** Far more than the buffers of both ends of a loopback connection hold. */
const LARGE = "x".repeat(64 * 1024 * 1024);

const listeners: StatsListener[] = [];
afterEach(() => listeners.splice(0).forEach((listener) => listener.close()));

async function open(address = LOOPBACK, port = freePort()) {
  const listener = await StatsListener.open(address, port);
  listeners.push(listener);
  return { listener, port };
}

test("each connection gets the document of its moment, a line feed and the end", async () => {
  const { listener, port } = await open();
  let count = 0;
  listener.serve(() => `{"count":${++count}}`);
  for (let round = 1; round <= 3; round++) {
    const client = await RawClient.connect(port);
    expect(await client.readToEnd()).toBe(`{"count":${round}}\n`);
    client.close();
  }
});

test("a client that comes before serve() waits for it", async () => {
  const { listener, port } = await open();
  const client = await RawClient.connect(port);
  await eventually(async () => (await RawClient.connect(port)) !== null);
  expect(client.unreadSize).toBe(0);
  listener.serve(() => "{}");
  expect(await client.readToEnd()).toBe("{}\n");
  client.close();
});

test("an HTTP request changes nothing and costs no byte of the answer", async () => {
  const { listener, port } = await open();
  const document = LARGE.slice(0, 300_000);
  listener.serve(() => document);
  for (let round = 0; round < 20; round++) {
    const client = await RawClient.connect(port);
    void client.send(`GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${"y".repeat(10_000)}\r\n\r\n`);
    expect(await client.readToEnd()).toBe(`${document}\n`);
    expect(client.closeError).toBeUndefined();
    client.close();
  }
});

test("a client that sends FIN at once gets everything", async () => {
  const { listener, port } = await open();
  listener.serve(() => LARGE);
  const client = await RawClient.connect(port);
  client.halfClose();
  expect((await client.readToEnd()).length).toBe(LARGE.length + 1);
  client.close();
});

test("clients that do not read hold up nobody, and are dropped after a while", async () => {
  const { listener, port } = await open();
  let document = LARGE;
  let begun = 0;
  listener.serve(() => {
    begun++;
    return document;
  });
  const lazy = await Promise.all(
    [1, 2, 3].map(async () => {
      const client = await RawClient.connect(port);
      client.pause();
      return client;
    }),
  );
  await eventually(() => begun === lazy.length);
  document = "{}";
  for (let round = 0; round < 5; round++) {
    const client = await RawClient.connect(port);
    expect(await client.readToEnd()).toBe("{}\n");
    client.close();
  }
  await eventually(() => lazy.every((client) => client.isClosed), { deadlineMs: 10_000 });
  for (const client of lazy) expect(client.unreadSize).toBeLessThan(LARGE.length);
}, 20_000);

test("a unix socket, which is gone after close()", async () => {
  const path = join(temporaryFolder("stats"), "stats.sock");
  const { listener } = await open(path);
  listener.serve(() => "{}");
  const client = await RawClient.connect({ unix: path });
  expect(await client.readToEnd()).toBe("{}\n");
  listener.close();
  expect(existsSync(path)).toBe(false);
});

test("names and IPv6 addresses", async () => {
  for (const [address, hostname] of [
    ["localhost", LOOPBACK],
    ["::1", "::1"],
  ] as const) {
    const { listener, port } = await open(address);
    listener.serve(() => "{}");
    const client = await RawClient.connect({ hostname, port });
    expect(await client.readToEnd()).toBe("{}\n");
    client.close();
  }
});

test("an address that cannot be had is refused in nutcracker's words", async () => {
  const { port } = await open();
  const cases: readonly (readonly [address: string, text: RegExp])[] = [
    [
      LOOPBACK,
      /^bind on m \d+ to stats server addr '127.0.0.1:\d+' failed: Address already in use$/,
    ],
    ["1.2.3.4", /addr '1\.2\.3\.4:\d+' failed: Cannot assign requested address$/],
    ["/nonexistent/x", /addr '\/nonexistent\/x:\d+' failed: No such file or directory$/],
    ["", /^address resolution of node '' service '\d+' failed: Name or service not known$/],
    ["no.such.host.invalid", /^address resolution of node 'no.such.host.invalid' service/],
  ];
  for (const [address, text] of cases) {
    await expect(open(address, port)).rejects.toThrow(text);
  }
});

test("close() ends connections that wait", async () => {
  const { listener, port } = await open();
  const client = await RawClient.connect(port);
  listener.close();
  await client.expectClosed();
  await expect(RawClient.connect(port)).rejects.toThrow();
});
