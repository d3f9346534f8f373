/**
 * The faults of a soak: a table of kinds, and a driver per server that picks from it all the time.
 *
 * A driver leaves its server well, and says so to the diary only when it is.
 */
import type { Fault, FaultKind, Place } from "../support/fault-proxy.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { FaultDiary } from "./fault-diary.ts";
import type { SoakServer } from "./ground.ts";

interface FaultRow {
  readonly kind: string;
  readonly fits: (server: SoakServer) => boolean;
  /** Begins the fault, and ends it. */
  readonly run: (server: SoakServer, random: SeededRandom) => Promise<void>;
}

const PAUSE_MIN_MS = 300;
const PAUSE_MAX_MS = 7000;
const FREEZE_MAX_MS = 2500;
const DOWN_MAX_MS = 900;
const PROXY_FAULT_MAX_MS = 1500;
const PLACES: readonly Place[] = ["at once", "instead", "middle"];

const isAny = () => true;
const isRedis = ({ process }: SoakServer) => process instanceof RedisServer;

async function down(server: SoakServer, random: SeededRandom): Promise<void> {
  await Bun.sleep(random.integer(DOWN_MAX_MS));
  await server.process.restart();
}

const PROCESS_ROWS: readonly FaultRow[] = [
  {
    kind: "kill -9",
    fits: isAny,
    async run(server, random) {
      await server.process.kill();
      await down(server, random);
    },
  },
  {
    kind: "stop",
    fits: isAny,
    async run(server, random) {
      await server.process.stop();
      await down(server, random);
    },
  },
  {
    kind: "freeze",
    fits: isAny,
    async run({ process }, random) {
      process.freeze();
      await Bun.sleep(random.integer(FREEZE_MAX_MS));
      process.thaw();
    },
  },
  {
    kind: "client kill",
    fits: isRedis,
    async run({ process }) {
      if (process instanceof MemcachedServer) return;
      await process.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    },
  },
  {
    kind: "debug sleep",
    fits: isRedis,
    async run({ process }, random) {
      const sleeper = await process.connect();
      sleeper.deadlineMs = 10_000;
      await sleeper.call("DEBUG", "SLEEP", (random.between(50, 1500) / 1000).toFixed(3));
      sleeper.close();
    },
  },
];

type Draws = Readonly<Partial<Record<FaultKind, (random: SeededRandom) => Fault>>>;

const harm = (random: SeededRandom) => ({ chance: random.pick([0.02, 0.2, 1]) });
const cut = (random: SeededRandom) => ({ ...harm(random), place: random.pick(PLACES) });

const DRAWS: Draws = {
  refuse: () => ({ kind: "refuse" }),
  acceptAndClose: () => ({ kind: "acceptAndClose" }),
  stall: () => ({ kind: "stall" }),
  delay: (random) => ({
    kind: "delay",
    ms: random.between(10, 400),
    jitterMs: random.integer(400),
  }),
  slow: (random) => ({ kind: "slow", bytesPerSecond: random.pick([500, 20_000, 1_000_000]) }),
  byteByByte: (random) => ({ kind: "byteByByte", sizeMax: random.pick([1, 7, 100]) }),
  reset: (random) => ({ kind: "reset", ...cut(random) }),
  halfClose: (random) => ({ kind: "halfClose", ...cut(random) }),
  truncate: (random) => ({ kind: "truncate", ...cut(random) }),
  blackhole: (random) => ({ kind: "blackhole", ...cut(random) }),
  garbage: (random) => ({ kind: "garbage", ...harm(random) }),
};

/** Only where there is one request at a time: see LONELY in ground.ts. */
const LONELY_DRAWS: Draws = {
  extraReply: (random) => ({ kind: "extraReply", ...harm(random) }),
  duplicate: (random) => ({ kind: "duplicate", ...harm(random) }),
};

function connectionRows(draws: Draws, fits: FaultRow["fits"]): FaultRow[] {
  return Object.entries(draws).map(([kind, draw]) => ({
    kind,
    fits,
    async run({ faultProxy }, random) {
      await faultProxy?.set(draw(random));
      await Bun.sleep(random.between(50, PROXY_FAULT_MAX_MS));
      // Connections that were harmed stay so, and a later request would pay for it.
      await faultProxy?.set({ kind: "reset", place: "at once" });
      await faultProxy?.set({ kind: "none" });
    },
  }));
}

const ROWS: readonly FaultRow[] = [
  ...PROCESS_ROWS,
  ...connectionRows(DRAWS, ({ faultProxy }) => faultProxy !== null),
  ...connectionRows(LONELY_DRAWS, ({ isLonely }) => isLonely),
];

export const FAULT_KINDS: readonly string[] = ROWS.map(({ kind }) => kind);

/** Gives a server one fault after the other, with pauses, until it is over. */
export async function driveFaults(
  server: SoakServer,
  random: SeededRandom,
  diary: FaultDiary,
  isOver: () => boolean,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const rows = ROWS.filter(({ fits }) => fits(server));
  // Each kind once before any comes twice.
  let next: FaultRow[] = [];
  for (;;) {
    await pause(random.between(PAUSE_MIN_MS, PAUSE_MAX_MS));
    if (isOver()) return;
    if (next.length === 0) next = random.shuffle(rows);
    const row = next.pop() as FaultRow;
    const end = diary.begin(server.name, row.kind);
    await row.run(server, random);
    end();
  }
}
