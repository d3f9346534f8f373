/**
 * The JSON of the stats, byte for byte in nutcracker's shape.
 */
import { expect, test } from "bun:test";
import {
  ConnectionCounters,
  PoolCounters,
  ServerCounters,
  ServerState,
} from "../../src/stats/counters.ts";
import type { PoolStatistics } from "../../src/stats/counters.ts";
import { formatSnapshot } from "../../src/stats/snapshot.ts";

function pool(name: string, serverNames: readonly string[]) {
  return {
    name,
    counters: new PoolCounters(),
    servers: serverNames.map((server) => ({ name: server, counters: new ServerCounters() })),
    refreshGauges: () => {},
  };
}

const GAUGES = {
  bufferBytes: 5,
  bufferBytesMax: 64,
  waitingClients: 1,
  descriptors: 7,
  descriptorsMax: 1024,
};

function format(pools: readonly PoolStatistics[], source = "vm"): string {
  const connections = new ConnectionCounters();
  connections.total = 88;
  connections.current = 2;
  const times = { uptimeSeconds: 11, timestampSeconds: 1795259253 };
  return formatSnapshot({ source, version: "0.5.0", ...times, connections, gauges: GAUGES }, pools);
}

const HEAD =
  '{"service":"nutcracker", "source":"vm", "version":"0.5.0", "uptime":11, ' +
  '"timestamp":1795259253, "total_connections":88, "curr_connections":2, ' +
  '"buffer_bytes":5, "buffer_bytes_max":64, "waiting_clients":1, "descriptors":7, ' +
  '"descriptors_max":1024';

const POOL_FIELDS =
  '{"client_eof":33, "client_err":51, "client_connections":1, "server_ejects":2, ' +
  '"forward_error":3, "fragments":4';

const IDLE_POOL_FIELDS = POOL_FIELDS.replace(/:\d+/g, ":0");

const SERVER_FIELDS =
  '{"server_eof":1, "server_err":2, "server_timedout":3, "server_connections":4, ' +
  '"server_ejected_at":1795259253123456, "requests":6, "request_bytes":7, "responses":8, ' +
  '"response_bytes":9, "in_queue":10, "in_queue_bytes":11, "out_queue":12, "out_queue_bytes":13, ' +
  '"server_state":"probing"}';

const IDLE_SERVER_FIELDS = SERVER_FIELDS.replace(/:\d+/g, ":0").replace("probing", "healthy");

test("no pools", () => {
  expect(format([])).toBe(`${HEAD}}`);
});

test("every number stands behind its own name", () => {
  const busy = pool("r", ["s1"]);
  const numbers = { clientEof: 33, clientErr: 51, clientConnections: 1 };
  Object.assign(busy.counters, numbers, { serverEjects: 2, forwardError: 3, fragments: 4 });
  Object.assign(busy.servers[0]?.counters ?? {}, {
    ...{ serverEof: 1, serverErr: 2, serverTimedout: 3, serverConnections: 4 },
    ...{ serverEjectedAt: 1795259253123456, requests: 6, requestBytes: 7, responses: 8 },
    ...{ responseBytes: 9, inQueue: 10, inQueueBytes: 11, outQueue: 12, outQueueBytes: 13 },
    serverState: ServerState.Probing,
  });
  expect(format([busy])).toBe(`${HEAD}, "r": ${POOL_FIELDS}, "s1": ${SERVER_FIELDS}}}`);
});

test("pools and servers stand side by side without a blank", () => {
  const idle = `${IDLE_POOL_FIELDS}, "a": ${IDLE_SERVER_FIELDS},"b": ${IDLE_SERVER_FIELDS}}`;
  const text = format([pool("beta", ["a", "b"]), pool("alpha", ["a", "b"])]);
  expect(text).toBe(`${HEAD}, "beta": ${idle},"alpha": ${idle}}`);
});

test("names are escaped", () => {
  const odd = 'a"b\\c\nd\u0001é😀 /{}';
  const parsed = JSON.parse(format([pool(odd, [odd, ""])], odd));
  expect(parsed.source).toBe(odd);
  expect(Object.keys(parsed[odd]).slice(-2)).toEqual([odd, ""]);
});

test("gauges are brought up to date before they are read", () => {
  const lazy = pool("p", ["s"]);
  const refreshGauges = () => {
    const server = lazy.servers[0];
    if (server !== undefined) server.counters.outQueue = 7;
  };
  expect(JSON.parse(format([{ ...lazy, refreshGauges }])).p.s.out_queue).toBe(7);
});
