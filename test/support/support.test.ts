/**
 * The test tools themselves: real servers come and go, and nothing is left behind.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";
import { everySplit } from "./every-split.ts";
import { MemcachedServer } from "./memcached-server.ts";
import { RawClient } from "./raw-client.ts";
import { RedisServer } from "./redis-server.ts";
import { decodeReply, encodeRequest, replyEnd } from "./resp.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Enough that a thread waits for its turn on any small machine. */
const HOGS = 6;

test("redis-server starts, is killed, and returns on the same port", async () => {
  await using redis = await RedisServer.start({ requirepass: "secret" });
  expect(await redis.command("SET", "a", "1")).toMatchObject({ text: "OK" });
  expect(await redis.keys()).toEqual(["a"]);
  await redis.kill();
  await expect(RawClient.connect(redis.port)).rejects.toThrow();
  await redis.restart();
  expect(await redis.keys()).toEqual([]);
});

test("a frozen server answers nobody, however busy the machine is", async () => {
  await using memcached = await MemcachedServer.start();
  await using hogs = new AsyncDisposableStack();
  for (let count = 0; count < HOGS; count++) {
    const hog = Bun.spawn(["sh", "-c", "while :; do :; done"]);
    hogs.defer(() => hog.kill());
  }
  for (let round = 0; round < 30; round++) {
    const client = await memcached.connect();
    await client.send("get a\r\n");
    expect(await client.readLine()).toBe("END\r\n");
    memcached.freeze();
    await client.send("get a\r\n");
    client.deadlineMs = 20;
    await expect(client.readLine()).rejects.toThrow("waited 20 ms");
    memcached.thaw();
    client.close();
  }
});

test("redis-server and memcached listen on unix sockets", async () => {
  await using redis = await RedisServer.start({ unix: true });
  await using memcached = await MemcachedServer.start({ unix: true });
  const client = await redis.connect();
  expect(await client.call("PING")).toBe("+PONG\r\n");
  const other = await memcached.connect();
  void other.send("set a 0 0 1\r\n1\r\n");
  expect(await other.readLine()).toBe("STORED\r\n");
});

test("a test process that is killed leaves neither servers nor folders", async () => {
  const script = `
    import { RedisServer } from "${import.meta.dir}/redis-server.ts";
    const redis = await RedisServer.start();
    process.stdout.write(redis.folder + " " + redis.pid + "\\n");
    await Bun.sleep(60_000);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const first = await child.stdout.getReader().read();
  const [folder, pid] = new TextDecoder().decode(first.value).trim().split(" ") as [string, string];
  expect(existsSync(folder)).toBe(true);
  child.kill("SIGKILL");
  await eventually(() => !existsSync(folder) && !isAlive(pid));
});

/** A zombie has no command line any more. */
function isAlive(pid: string): boolean {
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) && readFileSync(path).length > 0;
}

test("raw client reads replies, pieces and the end", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "HALF") peer.write("$5\r\nhe");
    else if (args[0] === "RESET") peer.reset();
    else if (args[0] === "FIN") peer.finish();
    else peer.write(`*2\r\n:${args.length}\r\n$-1\r\n`);
  });
  const client = await RawClient.connect(server.port);
  expect(await client.value("ANY", "a")).toEqual([2, null]);
  void client.request("HALF");
  expect((await client.readExactly(6)).toString()).toBe("$5\r\nhe");
  void client.request("FIN");
  await client.expectClosed();
  const other = await RawClient.connect(server.port);
  void other.request("RESET");
  await other.expectClosed();
  expect(server.requests).toEqual([["ANY", "a"], ["HALF"], ["FIN"], ["RESET"]]);
  client.deadlineMs = 20;
  await expect(client.readReply()).rejects.toThrow("closed while waiting for a reply");
});

test("a reply ends where it ends, for every cut", () => {
  const reply = "*4\r\n$3\r\na\r\n\r\n*0\r\n:-7\r\n*1\r\n$-1\r\n";
  everySplit(reply, (pieces) => {
    let seen = Buffer.alloc(0);
    pieces.forEach((piece, index) => {
      seen = Buffer.from(Buffer.concat([seen, piece]));
      const isLast = index === pieces.length - 1;
      expect(replyEnd(seen, 0, seen.length)).toBe(isLast ? reply.length : -1);
    });
    expect(decodeReply(seen)).toEqual([Buffer.from("a\r\n"), [], -7, [null]]);
  });
  expect(() => everySplit("ab", (pieces) => expect(pieces.length).toBe(1))).toThrow("byte by byte");
});

test("random numbers repeat with their seed, and cuts lose nothing", () => {
  const first = new SeededRandom(5);
  const second = new SeededRandom(5);
  for (let count = 0; count < 100; count++) {
    expect(first.integer(1000)).toBe(second.integer(1000));
  }
  const bytes = encodeRequest(["SET", "key", "value"]);
  for (let count = 0; count < 100; count++) {
    expect(Buffer.concat(first.cut(bytes, 6)).equals(bytes)).toBe(true);
  }
});
