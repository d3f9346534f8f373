/**
 * What is wrong with a request is answered as memcached answers it, and the connection goes on
 * where memcached's goes on.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ClassicGenerator } from "../support/memcached-classic-generator.ts";
import { MemcachedPool, setOf } from "../support/memcached-pool.ts";
import { ask, askAll } from "../support/memcached-replies.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RawClient } from "../support/raw-client.ts";
import { withSeed } from "../support/seeded-random.ts";

let direct: MemcachedServer;
let pool: MemcachedPool;

beforeAll(async () => {
  direct = await MemcachedServer.start();
  pool = await MemcachedPool.start({ pool: { memcached_flush_all: true } });
});

afterAll(async () => {
  await direct?.[Symbol.asyncDispose]();
  await pool?.[Symbol.asyncDispose]();
});

const K251 = "k".repeat(251);

/** The same bytes come back from memcached and from the proxy. */
const SAME: readonly string[] = [
  "\r\n",
  "\n",
  "   \r\n",
  "x\r\n",
  "nosuch command\r\n",
  "GET a\r\n",
  "get\r\nget \r\ngets\r\ngat\r\ngat 1\r\ngats x\r\ngat x k\r\n",
  "set\r\nset k\r\nset k 0\r\nset k 0 0\r\n",
  "set k 0 0 5 6 7\r\nhello\r\n",
  "set k 0 0 5 6\r\nhello\r\nget k\r\n",
  "set k x 0 5\r\nhello\r\n",
  "set k 0 x 5\r\nhello\r\n",
  "set k 0 0 x\r\nhello\r\n",
  "set k 0 0 -1\r\nhello\r\n",
  "set k -1 0 5\r\nhello\r\n",
  "set k 0 -1 5\r\nhello\r\nget k\r\n",
  "set k 0 0 2147483647\r\nhello\r\n",
  "set k 0 0 99999999999999999999\r\nhello\r\n",
  "set k 0 0 4294967301\r\nhello\r\nget k\r\n",
  "set k 18446744073709551615 0 1\r\nx\r\nget k\r\n",
  "set k 18446744073709551616 0 1\r\nx\r\n",
  "set k 0 0 3\r\nhello\r\nget k\r\n",
  "set k 0 0 5\r\nhelloXXget k\r\n",
  "set k 0 0 5\r\nhello\rXget k\r\n",
  `set ${K251} 0 0 5\r\nhello\r\n`,
  // memcached forgets the replies before these, if they are not yet written.
  `get ${K251}\r\n`,
  `get a ${K251} b\r\n`,
  `gat 1 ${K251}\r\n`,
  `get ${"k".repeat(3000)}\r\n`,
  `delete ${K251}\r\nincr ${K251} 1\r\ntouch ${K251} 1\r\n`,
  "cas k 0 0 5\r\nhello\r\n",
  "cas k 0 0 5 x\r\nhello\r\n",
  "cas k 0 0 5 18446744073709551616\r\nhello\r\n",
  "incr k\r\nincr k x\r\nincr k -1\r\nincr k 1 2\r\nincr k 1 2 3\r\n",
  "touch k\r\ntouch k x\r\ntouch k 1 2\r\ntouch k 1 2 3\r\n",
  "delete\r\ndelete k 0\r\ndelete k 5\r\ndelete k 0 0\r\ndelete k 0 noreply\r\ndelete k x noreply\r\n",
  "set k x 0 5 noreply\r\nhello\r\n",
  "set k 0 0 3 noreply\r\nhello\r\n",
  "set k 0 0 noreply\r\n",
  "incr k noreply\r\ntouch k noreply\r\ndelete k noreply noreply\r\nincr k 1 noreply noreply\r\n",
  "verbosity\r\nverbosity x\r\nverbosity 1 2\r\nverbosity 1 2 3\r\nverbosity noreply\r\n",
  "flush_all x\r\nflush_all 0\r\nflush_all noreply noreply\r\nflush_all 1 2 3 4\r\n",
  "stats nosuch\r\nstats noreply\r\n",
  "mg\r\nmd\r\nma\r\nme\r\nms\r\nms k\r\nms k S5\r\nmx k\r\nm\r\n",
  `mg ${K251}\r\nms ${K251} 5\r\nhello\r\nmd ${K251}\r\nma ${K251}\r\nme ${K251}\r\n`,
  "mg k !\r\nmg k v v\r\nmg k q q\r\nmd k q q\r\nma k q q\r\nms k 1 q q\r\nx\r\n",
  "mg k Tx\r\nms k 1 Tx\r\nx\r\nms k 1 MZ\r\nx\r\nms k 1 Mset\r\nx\r\nma k MZ\r\nma k Dx\r\n",
  "ms k 3\r\nhello\r\nms k 3 q\r\nhello\r\n",
  "mg !!! b\r\nms !!! 1 b\r\nx\r\nmd !!! b\r\nma !!! b\r\nme !!! b\r\n",
  `mg k O${"x".repeat(32)}\r\nms k 1 O${"x".repeat(32)}\r\nx\r\n`,
  `mg k${" v".repeat(18)}\r\nms k 1${" v".repeat(17)}\r\nmd k${" v".repeat(30)}\r\n`,
];

describe("side by side with memcached", () => {
  test.each(SAME.map((text) => [JSON.stringify(text.slice(0, 90)), text]))(
    "%s",
    async (_, text) => {
      const [one, other] = [await direct.connect(), await pool.connect()];
      await ask(one, setOf("k", "stored before"));
      await ask(other, setOf("k", "stored before"));
      const bytes = Buffer.from(text, "latin1");
      const expected = await askAll(one, bytes);
      expect(await askAll(other, bytes)).toEqual(expected);
      // Byte by byte, too, with both servers as they were.
      await ask(other, setOf("k", "stored before"));
      for (const byte of bytes.subarray(0, 200)) await other.send(Buffer.of(byte));
      expect(await askAll(other, bytes.subarray(200))).toEqual(expected);
      one.close();
      other.close();
    },
  );

  test("10,000 requests, every fifth with a mistake", async () => {
    const options = { server: { args: ["-o", "no_modern"] }, pool: { memcached_flush_all: true } };
    await using steadyDirect = await MemcachedServer.start(options.server);
    await using steadyPool = await MemcachedPool.start(options);
    await withSeed(async (random) => {
      const generator = new ClassicGenerator({ random, namespace: "a", mistakes: 0.2 });
      const [one, other] = [await steadyDirect.connect(), await steadyPool.connect()];
      for (let count = 0; count < 10_000; count++) {
        const { text } = generator.next();
        const bytes = Buffer.from(text, "latin1");
        const [expected, got] = await Promise.all([askAll(one, bytes), askAll(other, bytes)]);
        expect({ text, replies: got }).toEqual({ text, replies: expected });
      }
      one.close();
      other.close();
    });
  }, 60_000);
});

describe("otherwise than memcached", () => {
  let client: RawClient;

  beforeAll(async () => {
    client = await pool.connect();
  });

  test("a zero byte in a line is a mistake, not the end of the line", async () => {
    expect(await askAll(client, "get a\0b\r\nset k\0 0 0 1\r\n")).toEqual([
      "CLIENT_ERROR bad command line format\r\n",
      "CLIENT_ERROR bad command line format\r\n",
    ]);
  });

  test("a line that a server might close on is refused, and the connection goes on", async () => {
    const blanks = " ".repeat(3000);
    expect(
      await askAll(client, `mg k v${blanks}\r\ndelete${blanks}k\r\nget${blanks}k\r\n`),
    ).toEqual(Array.from({ length: 3 }, () => "CLIENT_ERROR line too long\r\n"));
  });

  const CLOSING: readonly (readonly [string, string, string])[] = [
    [
      "a binary client",
      "\x80\x0b\0\0\0\0\0\0",
      "CLIENT_ERROR the binary protocol is not supported by this proxy: use the text protocol",
    ],
    ["a browser", "POST / HTTP/1.1\r\n", "CLIENT_ERROR this is no HTTP server"],
    ["a line without end", "a".repeat(20_000), "CLIENT_ERROR line too long"],
    [
      "more than any server takes",
      "set k 0 0 1073741825\r\n",
      "SERVER_ERROR object too large for cache",
    ],
  ];
  test.each(CLOSING)(
    "%s is told so, and closed after the replies before it",
    async (_, text, words) => {
      const closing = await pool.connect();
      await closing.send(Buffer.from(`get none\r\n${text}`, "latin1"));
      expect(await closing.readToEnd()).toBe(`END\r\n${words}\r\n`);
      expect(await ask(client, "get none\r\n")).toBe("END\r\n");
    },
  );
});
