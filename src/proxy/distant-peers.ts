/**
 * Clients of a pool that are with other workers (-w): what is known of them, and how they are
 * reached.
 *
 *   CLIENT LIST -> pool.askElsewhere() -> OtherWorkers.peers -> the reply, from all of them
 *   CLIENT KILL -> DistantPeer.terminate() -> OtherWorkers.tell -> carryOut, in their worker
 *               -> pool.askElsewhere() once more: its answer comes behind the order
 *
 * How workers speak to each other is process/. One that serves alone needs nothing of this.
 */
import type { ClientIdentity, Peer } from "../protocol/protocol.ts";

/** A client as it was when its worker was asked: plain values, which can be sent. */
export type PeerFacts = Pick<Peer, "identity" | "protocolVersion" | "database" | "isBlocked">;

/** What a client of another worker is to undergo. */
export interface PeerOrder {
  /** Index in the configuration. */
  readonly pool: number;
  readonly id: number;
  /** The number alone may belong to somebody else by now, if its worker was replaced. */
  readonly address: string;
  /** "unblock": with this error, or as if its time were over (null). */
  readonly action: "terminate" | "unblock";
  readonly error: Uint8Array | null;
}

export interface OtherWorkers {
  /** Clients of a pool; never rejected. Those of a worker that does not answer are missing. */
  peers(pool: number): Promise<readonly PeerFacts[]>;
  /** Is carried out before a question that is put later is answered. */
  tell(order: PeerOrder): void;
}

export function factsOf(peer: Peer): PeerFacts {
  const { id, address, localAddress, ageSeconds, name, libraryName, libraryVersion } =
    peer.identity;
  const { protocolVersion, database, isBlocked } = peer;
  const identity: ClientIdentity = {
    ...{ id, address, localAddress, ageSeconds },
    ...{ name, libraryName, libraryVersion },
  };
  return { identity, protocolVersion, database, isBlocked };
}

/** Clients of other workers, to whoever asked. */
export interface DistantPeers {
  readonly peers: readonly Peer[];
  /** There was an order for one of them. It is carried out when their workers answer again. */
  readonly hasOrders: boolean;
}

/** Clients of pool `pool` that are with other workers. */
export async function distantPeers(workers: OtherWorkers, pool: number): Promise<DistantPeers> {
  const found = await workers.peers(pool);
  const answer = { peers: [] as Peer[], hasOrders: false };
  const tell = (order: PeerOrder) => {
    answer.hasOrders = true;
    workers.tell(order);
  };
  answer.peers = found.map((facts) => new DistantPeer(facts, pool, tell));
  return answer;
}

/** Does what another worker wants of one of these clients; it may have left meanwhile. */
export function carryOut(order: PeerOrder, clients: Iterable<Peer>): void {
  for (const client of clients) {
    if (client.identity.id !== order.id) continue;
    if (client.identity.address !== order.address) return;
    if (order.action === "terminate") client.terminate();
    else client.unblock(order.error === null ? null : Buffer.from(order.error));
    return;
  }
}

class DistantPeer implements Peer {
  readonly identity: ClientIdentity;
  readonly protocolVersion: number;
  readonly database: number;
  readonly isBlocked: boolean;

  constructor(
    facts: PeerFacts,
    private readonly pool: number,
    private readonly send: (order: PeerOrder) => void,
  ) {
    this.identity = facts.identity;
    this.protocolVersion = facts.protocolVersion;
    this.database = facts.database;
    this.isBlocked = facts.isBlocked;
  }

  unblock(error: Buffer | null): boolean {
    if (this.isBlocked) this.tell("unblock", error);
    return this.isBlocked;
  }

  terminate(): void {
    this.tell("terminate", null);
  }

  private tell(action: PeerOrder["action"], error: Buffer | null): void {
    const { id, address } = this.identity;
    this.send({ pool: this.pool, id, address, action, error });
  }
}
