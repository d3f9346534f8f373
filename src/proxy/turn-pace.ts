/**
 * A short rest between turns: under load what comes meanwhile is handled together.
 *
 *   | turn | rest ........ | turn | rest ........ | turn
 *   |<-------- 50 us ------------>|       ^ requests and replies of many clients gather
 *
 * A proxy with a processor of its own wakes up for every packet, and pays a write to the server
 * and a wakeup for each, though the next packet is on its way. So while enough packets come, a turn
 * begins at the earliest 50 us after the one before, as network cards moderate their interrupts.
 * At a pipeline of 1 and 50 clients that saves a sixth of the processor time, and servers that get
 * their requests in batches answer more of them (bench/README.md, "Rests").
 * Where servers answer pipelines piece by piece it is up to 200 us.
 * Turns that are far apart or long anyway are followed by no rest. Nor are any where few clients
 * wait for each reply: two rests would be a good part of the time between their requests.
 * A rest holds up the event loop; nothing in this process counts in less than a millisecond.
 */
import { nowMs } from "../lib/clock.ts";
import { restUs } from "../lib/libc.ts";

/** From the beginning of a turn to that of the next, at least. */
const PERIOD_MS = 0.05;
/** A rest begins only if at least so many sockets are written to in such a time. */
const WRITES_PER_PERIOD_MIN = 2;
/**
 * A server may answer a pipeline piece by piece, as memcached does: a system call for each reply or
 * two. Where clients are written to so many times for each time that they send something, periods
 * are longer.
 */
const PIECEMEAL_WRITES_MIN = 1.6;
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
/** The means below follow what happens with so many turns' delay. */
const MEAN_TURNS = 16;
/** The same for the time between two turns. */
const GAP_MAX_MS = 1;

const US_PER_MS = 1000;

export class TurnPace {
  private beganMs = 0;
  private meanWrites = 0;
  private meanGapMs = GAP_MAX_MS;
  private meanSilenceMs = 0;
  /** How often something came from a client in this turn, and went to one. */
  private heard = 0;
  private told = 0;
  private meanHeard = 1;
  private meanTold = 0;

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

  /** Something was written to a client. */
  clientTold(): void {
    this.told++;
  }

  /**
   * Rests, if that is worth it.
   * @param beganMs when the turn that has just ended began
   * @param writes the number of sockets that it wrote to
   */
  turnEnded(beganMs: number, writes: number): void {
    const gapMs = Math.min(beganMs - this.beganMs, GAP_MAX_MS);
    this.beganMs = beganMs;
    this.meanWrites += (writes - this.meanWrites) / MEAN_TURNS;
    this.meanGapMs += (gapMs - this.meanGapMs) / MEAN_TURNS;
    this.meanHeard += (this.heard - this.meanHeard) / MEAN_TURNS;
    this.meanTold += (this.told - this.meanTold) / MEAN_TURNS;
    this.heard = 0;
    this.told = 0;
    const longestMs = this.meanSilenceMs / SILENCE_PERIODS;
    if (longestMs < PERIOD_MS) return;
    const isPiecemeal = this.meanTold > PIECEMEAL_WRITES_MIN * this.meanHeard;
    const periodMs = isPiecemeal ? Math.min(PIECEMEAL_PERIOD_MS, longestMs) : PERIOD_MS;
    if (this.meanWrites * periodMs < WRITES_PER_PERIOD_MIN * this.meanGapMs) return;
    const restMs = beganMs + periodMs - this.now();
    if (restMs >= REST_MIN_MS) this.rest(restMs * US_PER_MS);
  }
}
