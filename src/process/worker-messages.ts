/**
 * What the supervisor and its workers say to each other, over the channel that Bun.spawn makes.
 *
 *   supervisor                          worker
 *     start          ------------------>  listens
 *                    <------------------  serving, or failed and the end
 *     report         ------------------>  (several times a second, and when somebody asks)
 *                    <------------------  report
 *     reopenLog, raiseLogLevel, lowerLogLevel -->
 *                    <------------------  askPeers (a client asks about the clients of its pool)
 *     tellPeers      ------------------>  (to all other workers)
 *                    <------------------  peers
 *     foundPeers     ------------------>  (to the one that asked, from all that answered)
 *     order          <----------------->  (for a client of another worker; passed on to them)
 *     drain          ------------------>  last report, then the end
 *     (the channel closes) ------------>  drains and ends by itself
 *
 * Both sides are the same executable, so messages are not checked when they come.
 */

import type { Config } from "../config/config.ts";
import type { PeerFacts, PeerOrder } from "../proxy/distant-peers.ts";

/** All that a worker needs to begin. Its listening sockets come as descriptors from 3 up. */
export interface StartMessage {
  readonly kind: "start";
  /** Which of how many it is, from 1 on. */
  readonly workerNumber: number;
  readonly workerCount: number;
  /** As the supervisor has read it: a file that was changed meanwhile has no effect. */
  readonly config: Config;
  readonly chunkSizeBytes: number;
  /** Null = stderr. */
  readonly logFile: string | null;
  readonly logLevel: number;
}

/** Who are the clients of a pool that are with other workers? Answered with `foundPeers`. */
export interface AskPeersMessage {
  readonly kind: "askPeers";
  /** Index in the configuration. */
  readonly pool: number;
  /** Number of the question. */
  readonly ask: number;
}

export interface FoundPeersMessage {
  readonly kind: "foundPeers";
  readonly pool: number;
  /** As in the question. */
  readonly ask: number;
  readonly peers: readonly PeerFacts[];
}

/** For a client of another worker. */
export interface OrderMessage {
  readonly kind: "order";
  readonly order: PeerOrder;
}

export type MessageToWorker =
  | StartMessage
  | { readonly kind: "report" | "reopenLog" | "raiseLogLevel" | "lowerLogLevel" }
  | { readonly kind: "drain"; readonly timeoutMs: number }
  | { readonly kind: "tellPeers"; readonly pool: number }
  | FoundPeersMessage
  | OrderMessage;

export type MessageFromWorker =
  | { readonly kind: "serving" }
  | { readonly kind: "failed"; readonly reason: string }
  /** Numbers as StatisticsNumbers reads them. */
  | { readonly kind: "report"; readonly numbers: readonly number[] }
  | AskPeersMessage
  /** Its clients of the pool that `tellPeers` named. Answers come in the order of questions. */
  | { readonly kind: "peers"; readonly peers: readonly PeerFacts[] }
  | OrderMessage;

/** The first listening socket of a worker: behind stdin, stdout and stderr. */
export const FIRST_SOCKET_FD = 3;

/** In a worker's environment: the pid of its supervisor, so that a copy of it means nothing. */
export const WORKER_MARK = "NUTCRACKER_WORKER_OF";
