/**
 * A short rest between turns: in a rush, what comes meanwhile is handled together.
 *
 *   look at 128 turns -> a rush? -> rest behind each of 1,024 turns -> look again -> ...
 *
 *   | turn | rest ........ | turn | rest ........ | turn
 *   |<-------- 50 us ------------>|       ^ requests and replies of many clients gather
 *
 * Beside busy clients and servers a proxy wakes up for every packet, and pays a write to the
 * server and a wakeup for each, though the next packet is on its way. Where turns follow each other
 * in less than 30 us, they now begin at the earliest 50 us apart, as network cards moderate their
 * interrupts. With 50 clients at a pipeline of 1 that saves a sixth of the processor time, and
 * servers that get their requests in batches answer more of them (bench/README.md, "Rests").
 * It is for turns that do little each: those of large batches are too long for a rush. And for many
 * clients: of few that wait for each reply, every one would feel its two rests.
 * A rest holds up the event loop; nothing in this process counts in less than a millisecond.
 */
import { nowMs } from "../lib/clock.ts";
import { restUs } from "../lib/libc.ts";

/** From the beginning of a turn to that of the next, on average of those looked at. */
const RUSH_GAP_MAX_MS = 0.03;
const TURNS_LOOKED_AT = 128;
const TURNS_WITH_REST = 1024;

/** The same, at least, while there are rests. Timers of small machines add some 30 us. */
const PERIOD_MS = 0.05;
/**
 * A server may answer a pipeline piece by piece, as memcached does: a system call for each reply or
 * two. Where clients get replies so many times for each time that they send something, periods
 * are longer.
 */
const PIECEMEAL_WRITES_MIN = 2.5;
const PIECEMEAL_PERIOD_MS = 0.2;
/**
 * So many periods clients are silent, on average, after the last that they sent or got. With 50
 * clients at a pipeline of 1 that is 0.8 ms; with 8 it is 0.1, and rests would cost them a tenth
 * of their throughput.
 */
const SILENCE_PERIODS = 5;
/** A longer silence counts as so much, or it would be remembered for too long. */
const SILENCE_MAX_MS = 1;
const MEAN_SILENCES = 64;
/** A shorter rest costs more than it saves. */
const REST_MIN_MS = 0.02;

const US_PER_MS = 1000;

export class TurnPace {
  private meanSilenceMs = 0;
  /** Turns that are still to be followed by rests; 0 while looking. */
  private restsLeft = 0;
  private periodMs = 0;

  /** Of those turns without rests that are looked at. */
  private turns = 0;
  private firstMs = 0;
  private heard = 0;
  private told = 0;

  constructor(
    private readonly rest: (us: number) => void = restUs,
    private readonly now: () => number = nowMs,
  ) {}

  /** Something came from a client that had neither sent nor got anything for so long. */
  heardAfter(silenceMs: number): void {
    this.heard++;
    this.meanSilenceMs +=
      (Math.min(silenceMs, SILENCE_MAX_MS) - this.meanSilenceMs) / MEAN_SILENCES;
  }

  /** A client gets replies at the end of this turn, and had none of their bytes before. */
  clientTold(): void {
    this.told++;
  }

  /** The turn that began at `beganMs` has ended: rests, if that is worth it. */
  turnEnded(beganMs: number): void {
    if (this.restsLeft === 0) {
      this.look(beganMs);
      return;
    }
    const restMs = beganMs + this.periodMs - this.now();
    if (restMs >= REST_MIN_MS) this.rest(restMs * US_PER_MS);
    this.restsLeft--;
  }

  private look(beganMs: number): void {
    if (this.turns === 0) {
      this.firstMs = beganMs;
      this.heard = this.told = 0;
    }
    if (++this.turns <= TURNS_LOOKED_AT) return;
    const isRush = beganMs - this.firstMs < TURNS_LOOKED_AT * RUSH_GAP_MAX_MS;
    const longestMs = this.meanSilenceMs / SILENCE_PERIODS;
    const isPiecemeal = this.told > PIECEMEAL_WRITES_MIN * this.heard;
    this.periodMs = isPiecemeal ? Math.min(PIECEMEAL_PERIOD_MS, longestMs) : PERIOD_MS;
    this.turns = 0;
    if (isRush && longestMs >= PERIOD_MS) this.restsLeft = TURNS_WITH_REST;
  }
}
