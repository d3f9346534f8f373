/**
 * One scenario on all proxies in alternation: the figures of each round.
 */
import { drive } from "./drivers.ts";
import { connectionsFor, measureIdle } from "./idle.ts";
import type { Measured } from "./measures.ts";
import { findPeer } from "./peers.ts";
import type { Peer } from "./peers.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import type { DrivenScenario, OpenScenario, Scenario } from "./scenarios.ts";
import type { Stage } from "./stage.ts";

/** The figures of one round, by the proxies' names. */
export type Round = Readonly<Record<string, Measured>>;

export interface Rounds {
  readonly rounds: number;
  /** Divides the requests of each scenario. */
  readonly divisor: number;
}

/** The proxies of a scenario, the one that is judged first. */
export function peersOf(scenario: Scenario, chosen: readonly Peer[]): Peer[] {
  const all =
    scenario.proxies === undefined
      ? chosen
      : scenario.proxies.map((name) => chosen.find((peer) => peer.name === name) ?? findPeer(name));
  return all.filter(
    (peer) =>
      peer !== null &&
      peer.protocols.includes(scenario.protocol) &&
      (scenario.driver === "idle" || connectionsFor(scenario, peer) === scenario.connections),
  ) as Peer[];
}

/** Writes every key, warms all proxies, and runs the rounds; who goes first alternates. */
export async function runScenario(
  scenario: Scenario,
  { rounds, divisor }: Rounds,
  stage: Stage,
  peers: readonly Peer[],
): Promise<Round[]> {
  if (scenario.driver === "idle") {
    const round: Record<string, Measured> = {};
    for (const peer of peers) round[peer.name] = await measureIdle(scenario, stage, peer, divisor);
    return [round];
  }
  const requests = requestsOf(scenario, divisor);
  await stage.fill(scenario);
  const proxies: ProxyProcess[] = [];
  for (const peer of peers) proxies.push(await stage.proxy(peer));
  // A quick run takes the proxies cold; an open loop must know what they reach all the same.
  const isWarmed = divisor === 1 || scenario.driver === "open";
  const rate = isWarmed ? await warm(scenario, Math.ceil(requests / 4), proxies) : 0;
  const results: Round[] = [];
  for (let index = 0; index < rounds; index++) {
    const round: Record<string, Measured> = {};
    for (const proxy of turned(proxies, index)) {
      round[proxy.name] = await drive(scenario, requests, proxy, rate);
    }
    results.push(round);
  }
  // redis-benchmark writes values of its own making.
  if (scenario.driver === "redis-benchmark") stage.spoil();
  return results;
}

/** Every connection has something to do. */
export function requestsOf(scenario: Scenario, divisor: number): number {
  return Math.max(Math.ceil(scenario.requests / divisor), scenario.connections);
}

/** Forwards and backwards by turns, starting with another one each time. */
function turned(proxies: readonly ProxyProcess[], round: number): ProxyProcess[] {
  const start = (round >> 1) % proxies.length;
  const order = [...proxies.slice(start), ...proxies.slice(0, start)];
  return round % 2 === 0 ? order : order.reverse();
}

/** @returns the rate of an open loop: its share of what the slowest proxy reaches; 0 for others */
async function warm(
  scenario: DrivenScenario,
  requests: number,
  proxies: readonly ProxyProcess[],
): Promise<number> {
  const closed: DrivenScenario = scenario.driver === "open" ? closedLoopOf(scenario) : scenario;
  const reached: number[] = [];
  for (const proxy of proxies) {
    reached.push((await drive(closed, requests, proxy, 0)).requestsPerSecond ?? 0);
  }
  return scenario.driver === "open" ? Math.min(...reached) * scenario.saturationShare : 0;
}

function closedLoopOf(scenario: OpenScenario): DrivenScenario {
  return scenario.protocol === "redis"
    ? { ...scenario, driver: "redis-benchmark", test: "get" }
    : { ...scenario, driver: "load" };
}
