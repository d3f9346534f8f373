/**
 * A client's session for replies that the proxy makes by itself, without any client.
 */
import type { ClientSession } from "../../src/protocol/protocol.ts";

export function newSession(): ClientSession {
  return {
    password: null,
    protocolVersion: 2,
    database: 0,
    select: () => true,
    isAuthenticated: true,
    isQuitting: false,
    hiddenReplies: 0,
    isBlocked: false,
    unblock: () => false,
    identity: {
      id: 1,
      address: "127.0.0.1:2",
      localAddress: "127.0.0.1:1",
      ageSeconds: 0,
      name: "",
      libraryName: "",
      libraryVersion: "",
    },
    reset: () => {},
    terminate: () => {},
    peers: () => [],
    wallClockUs: () => 0,
    poolFacts: () => [["servers", 1]],
    statistics: () => [["pid", 1]],
  };
}
