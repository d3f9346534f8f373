/**
 * Random pools, random keys: our router chooses the server that nutcracker 0.5.0 chooses.
 *
 *   keys -> nutcracker (one process, many pools) -> servers that answer with their own number
 *   keys -> Router ------------------------------> server index
 */
import { afterAll, beforeAll, describe, test } from "bun:test";
import { HASH_NAMES, hashFunction } from "../../src/hash/hashes.ts";
import type { HashName } from "../../src/hash/hashes.ts";
import { Router } from "../../src/routing/router.ts";
import type { RingServer } from "../../src/routing/router.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";
import { inIndexOrder } from "./ring-order.ts";

const SERVERS = 60;
const POOLS = 36;
const KEYS_PER_POOL = 150;
const NUTCRACKER_HASHES = HASH_NAMES.filter((name) => !name.startsWith("xxh"));

interface NumberedServer extends RingServer {
  readonly number: number;
}

interface RandomPool {
  readonly hash: HashName;
  readonly distribution: "ketama" | "modula";
  readonly hashTag: string | null;
  readonly servers: readonly NumberedServer[];
  readonly items: readonly string[];
}

/**
 * Weights of a pool. Only in the kind "wrapping" is their sum above 2^32, for three or four
 * servers: most sums that wrap make nutcracker write past its ring and crash.
 */
function randomWeight(random: SeededRandom, kind: string, position: number): number {
  if (kind === "equal") return 1;
  if (kind === "wrapping") return 0x7fffffff;
  if (kind === "small") return random.between(1, 20);
  return random.between(1, position === 0 ? 0x7fffffff : 2 ** random.integer(25));
}

function randomName(random: SeededRandom, number: number): string {
  const letters = ["a", "Z", "7", "-", ".", "/", ":", "é", "語", "€"];
  const length = random.chance(0.1) ? random.between(240, 300) : random.between(0, 20);
  const name = Array.from({ length }, () => random.pick(letters)).join("");
  return `${name}${number}`;
}

function randomPool(random: SeededRandom, items: readonly string[], index: number): RandomPool {
  const distribution = random.chance(0.7) ? "ketama" : "modula";
  // nutcracker allocates a slot per unit of weight for modula, so weights stay small there.
  const kinds = distribution === "ketama" ? ["equal", "small", "huge", "wrapping"] : ["small"];
  const kind = random.pick(kinds);
  const count = kind === "wrapping" ? random.between(3, 4) : random.between(2, 12);
  const numbers = random.shuffle([...items.keys()]);
  const chosen = kind !== "wrapping" && random.chance(0.3) ? numbers : numbers.slice(0, count);
  const servers: NumberedServer[] = [];
  const lines: string[] = [];
  for (const [position, number] of chosen.entries()) {
    const weight = randomWeight(random, kind, position);
    const isNamed = random.chance(0.7);
    // The one port that a ring name leaves out, and a free port may be that one.
    const unnamed = items[number]!.replace(/:11211$/, "");
    const name = isNamed ? randomName(random, number) : unnamed;
    servers.push({ name, weight, number });
    lines.push(`${items[number]}:${weight}${isNamed ? ` ${name}` : ""}`);
  }
  return {
    hash: NUTCRACKER_HASHES[index % NUTCRACKER_HASHES.length]!,
    distribution,
    hashTag: random.pick([null, "{}", "::", "ab"]),
    servers: inIndexOrder(servers),
    items: lines,
  };
}

function randomKey(random: SeededRandom): Buffer {
  const length = random.pick([1, 2, 3, 4, 5, 7, 8, 12, 13, 31, 64, random.between(0, 600)]);
  const key = random.bytes(length);
  if (random.chance(0.5)) {
    for (let i = 0; i < length; i++) key[i] = random.pick([...Buffer.from("ab{}:xyz019\0\xff")]);
  }
  return key;
}

describe.skipIf(nutcracker === null)(`router against nutcracker 0.5.0${ORACLE_ABSENT}`, () => {
  let backends: ScriptedServer[] = [];

  beforeAll(() => {
    backends = Array.from({ length: SERVERS }, (_, number) =>
      ScriptedServer.start((peer) => peer.write(`:${number}\r\n`)),
    );
  });
  afterAll(() => backends.forEach((server) => server.stop()));

  test(
    `${POOLS} pools of all hashes, ${KEYS_PER_POOL} keys each`,
    () =>
      withSeed(async (random) => {
        const items = backends.map((server) => server.item);
        const pools = Array.from({ length: POOLS }, (_, index) => randomPool(random, items, index));
        const settings = pools.map((pool, index) => [
          `pool${index}`,
          {
            hash: pool.hash,
            distribution: pool.distribution,
            ...(pool.hashTag === null ? {} : { hash_tag: pool.hashTag }),
            servers: pool.items,
          },
        ]);
        await using proxy = await Proxy.start({
          program: nutcracker!,
          pools: Object.fromEntries(settings),
        });
        for (const [index, pool] of pools.entries()) {
          await comparePool(random, proxy, `pool${index}`, pool);
        }
      }),
    60_000,
  );
});

async function comparePool(
  random: SeededRandom,
  proxy: Proxy,
  name: string,
  pool: RandomPool,
): Promise<void> {
  const router = new Router({
    hash: hashFunction(pool.hash),
    distribution: pool.distribution,
    hashTag: pool.hashTag === null ? null : Buffer.from(pool.hashTag),
    servers: pool.servers,
  });
  using client = await proxy.connect(name);
  const keys = Array.from({ length: KEYS_PER_POOL }, () => randomKey(random));
  const replies = await client.pipeline(keys.map((key) => ["GET", key]));
  for (const [i, key] of keys.entries()) {
    const index = router.serverIndexOf(key, 0, key.length);
    const found = pool.servers[index]!.number;
    const wanted = Number(replies[i]!.slice(1));
    if (found !== wanted) {
      // Ports are part of the pool and do not follow from the seed, so the message has all of it.
      throw new Error(JSON.stringify({ key: key.toString("hex"), found, wanted, pool }));
    }
  }
}
