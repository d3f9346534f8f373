/**
 * The soak: a proxy under load and faults of every kind for as long as you like.
 *
 *   bun run soak --minutes 10
 *
 *   clients (clients.ts) --> nutcracker --> servers (ground.ts) <-- faults (faults.ts)
 *        '--- what they saw: tally.ts     what had a fault when: fault-diary.ts
 *
 * Prints a line every few seconds, then a summary and a verdict; ends with 0 or 1. Ctrl-C ends it
 * early, with the summary. A seed repeats what is done, not the moments in which it happens.
 */
import { nowMs } from "../../src/lib/clock.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { anySession, heavySession, lonelySession } from "./clients.ts";
import type { SoakContext } from "./conversation.ts";
import { ALL_KEYS, pickWeighted } from "./dialect.ts";
import { FaultDiary } from "./fault-diary.ts";
import { driveFaults } from "./faults.ts";
import { finalChecks, takeBaseline } from "./final-checks.ts";
import { Ground } from "./ground.ts";
import type { SoakPool } from "./ground.ts";
import { isInOwnSession, onInterruption, runInOwnSession } from "./own-session.ts";
import { ProxyWatch } from "./proxy-watch.ts";
import { lineOf, summaryOf, verdictOf } from "./report.ts";
import { readSettings, USAGE } from "./settings.ts";
import type { SoakSettings } from "./settings.ts";
import { Tally } from "./tally.ts";
import { WellProbe } from "./well-probe.ts";

const DEADLINE_MS = 20_000;
/** Clients of large values. */
const HEAVY_CLIENTS = 2;
const LINE_MS = 5000;
/** After the load, memory has so long to go back to the system; less in a short run. */
const REST_MS = 10_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A time that can be cut short. */
class RunTime {
  readonly startMs = nowMs();
  #wake: () => void = () => {};
  readonly #ended: Promise<void>;
  isOver = false;
  isInterrupted = false;

  constructor(runMs: number) {
    this.#ended = new Promise((resolve) => (this.#wake = resolve));
    setTimeout(() => this.end(), runMs);
  }

  end(): void {
    this.isOver = true;
    this.#wake();
  }

  /** Sleeps, but not beyond the end. */
  async pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slept = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([slept, this.#ended]);
    clearTimeout(timer);
  }
}

class Soak {
  readonly #settings: SoakSettings;
  readonly #ground: Ground;
  readonly #random: SeededRandom;
  readonly #diary = new FaultDiary();
  readonly #tally = new Tally((sample) => say(`  WRONG ${sample}`));
  readonly #probe = new WellProbe();
  readonly #watch: ProxyWatch;

  constructor(settings: SoakSettings, ground: Ground) {
    this.#settings = settings;
    this.#ground = ground;
    this.#random = new SeededRandom(settings.seed);
    this.#watch = new ProxyWatch(ground.proxy.pid);
  }

  /** @returns true if everything was as it must be */
  async run(time: RunTime): Promise<boolean> {
    const baseline = await takeBaseline(this.#ground, this.#watch);
    const idle = this.#watch.now();
    const lines = setInterval(
      () => say(this.#line(time)),
      Math.min(LINE_MS, this.#settings.runMs / 2),
    );
    await Promise.all([...this.#faults(time), ...this.#clients(time)]);
    clearInterval(lines);
    say(this.#line(time));
    this.#watch.stop();
    await Bun.sleep(Math.min(REST_MS, (nowMs() - time.startMs) / 10));
    const rest = this.#watch.now();
    const checks = await finalChecks(this.#ground, this.#watch, baseline);
    const results = {
      tally: this.#tally,
      diary: this.#diary,
      watch: this.#watch,
      probe: this.#probe,
      idle,
      rest,
      checks,
      isInterrupted: time.isInterrupted,
      elapsedMs: nowMs() - time.startMs,
    };
    say(summaryOf(results));
    const { isFine, text } = verdictOf(results);
    say(text);
    return isFine;
  }

  #line(time: RunTime): string {
    return lineOf(
      nowMs() - time.startMs,
      this.#tally,
      this.#diary,
      this.#watch.now(),
      this.#probe.takeRecent(),
    );
  }

  #faults(time: RunTime): Promise<void>[] {
    return this.#ground.servers
      .filter(({ hasFaults }) => hasFaults)
      .map((server) =>
        driveFaults(
          server,
          this.#newRandom(),
          this.#diary,
          () => time.isOver,
          (ms) => time.pause(ms),
        ),
      );
  }

  #clients(time: RunTime): Promise<void>[] {
    const shared = this.#ground.pools.filter(({ weight }) => weight > 0);
    const lonely = this.#ground.pools.filter(({ weight }) => weight === 0);
    const plain = this.#ground.pool("plain");
    const key = ALL_KEYS.find((one) => plain.homes.get(one) === "s0") ?? "";
    const some = (count: number, session: (context: SoakContext) => Promise<void>) =>
      Array.from({ length: count }, () =>
        this.#repeat(time, (random) =>
          session(this.#context(pickWeighted(random, shared), random)),
        ),
      );
    return [
      ...some(this.#settings.clients, anySession),
      ...some(HEAVY_CLIENTS, heavySession),
      ...lonely.map((pool) =>
        this.#repeat(time, (random) => lonelySession(this.#context(pool, random))),
      ),
      this.#probe.run(
        this.#context(plain, this.#newRandom()),
        plain.dialect.get(key),
        () => time.isOver,
      ),
    ];
  }

  async #repeat(time: RunTime, one: (random: SeededRandom) => Promise<void>): Promise<void> {
    const random = this.#newRandom();
    while (!time.isOver) await one(random);
  }

  #context(pool: SoakPool, random: SeededRandom): SoakContext {
    return { pool, random, diary: this.#diary, tally: this.#tally, deadlineMs: DEADLINE_MS };
  }

  #newRandom(): SeededRandom {
    return new SeededRandom(this.#random.next());
  }
}

async function main(args: readonly string[]): Promise<number> {
  let settings: SoakSettings | null;
  try {
    settings = readSettings(args);
  } catch (error) {
    process.stderr.write(`soak: ${(error as Error).message}\n${USAGE}`);
    return 1;
  }
  if (settings === null) {
    say(USAGE);
    return 0;
  }
  if (!isInOwnSession()) return runInOwnSession(import.meta.path, args);
  say(`soak: seed ${settings.seed}, ${settings.program.join(" ")}`);
  const { program, workers, seed } = settings;
  await using ground = await Ground.start(program, workers, seed);
  say(`soak: started: ${ground.pools.length} pools before ${ground.servers.length} servers`);
  const time = new RunTime(settings.runMs);
  onInterruption(() => {
    // Who asks twice does not want to wait.
    if (time.isInterrupted) process.exit(1);
    time.isInterrupted = true;
    time.end();
  });
  return (await new Soak(settings, ground).run(time)) ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
