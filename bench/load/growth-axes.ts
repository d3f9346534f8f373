/**
 * What grows in growth.ts, and by which steps: one table each, one scenario per line.
 */
import type { LoadScenario } from "./scenarios.ts";

/** One line of a table. */
export interface Point {
  readonly label: string;
  readonly serverCount: number;
  /** Units of work in one request, as the axis counts them. */
  readonly unitsPerRequest: number;
  readonly scenario: LoadScenario;
}

export interface Axis {
  readonly name: string;
  readonly title: string;
  /** What the cost is divided by. */
  readonly unit: string;
  readonly points: readonly Point[];
}

const BASE: LoadScenario = {
  driver: "load",
  protocol: "redis",
  name: "growth",
  mix: "get=100",
  connections: 50,
  pipeline: 1,
  keyCount: 10_000,
  valueSizeBytes: 64,
  requests: 60_000,
  limits: [],
};

const SERVERS = 2;
const KB = 1024;
const MB = 1024 * KB;
/** Bytes of values in the servers, and bytes in flight, at most. */
const STORED_MAX = 64 * MB;
const IN_FLIGHT_MAX = 128 * MB;
/** Bytes of values read in one round. */
const READ_BYTES = 1024 * MB;
/** Keys asked for in one round. */
const ASKED_KEYS = 400_000;

function pointOf(value: number, change: Partial<LoadScenario>, units = 1): Point {
  const scenario = { ...BASE, ...change };
  return { label: String(value), serverCount: SERVERS, unitsPerRequest: units, scenario };
}

function within(value: number, least: number, most: number): number {
  return Math.ceil(Math.min(Math.max(value, least), most));
}

function ofConnections(connections: number): Point {
  return pointOf(connections, { connections });
}

function ofServers(serverCount: number): Point {
  return { ...pointOf(serverCount, {}), serverCount };
}

function ofKeys(mgetKeys: number): Point {
  const requests = within(ASKED_KEYS / mgetKeys, 200, 40_000);
  return pointOf(mgetKeys, { mix: "mget=100", mgetKeys, requests, connections: 20 }, mgetKeys);
}

function ofSize(valueSizeBytes: number): Point {
  const size = {
    valueSizeBytes,
    keyCount: within(STORED_MAX / valueSizeBytes, 2, 2000),
    connections: within(IN_FLIGHT_MAX / valueSizeBytes, 2, 20),
    requests: within(READ_BYTES / valueSizeBytes, 16, 40_000),
  };
  const text = valueSizeBytes < KB ? `${valueSizeBytes} B` : `${valueSizeBytes / KB} KB`;
  const label = valueSizeBytes < MB ? text : `${valueSizeBytes / MB} MB`;
  return { ...pointOf(valueSizeBytes, size, valueSizeBytes / MB), label };
}

function ofPipeline(pipeline: number): Point {
  return pointOf(pipeline, { pipeline, requests: within(30_000 * pipeline, 60_000, 500_000) });
}

export const AXES: readonly Axis[] = [
  {
    name: "connections",
    title: "Connections: GET of 64 bytes, pipeline 1",
    unit: "request",
    points: [1, 10, 50, 200, 1000, 5000, 10_000].map(ofConnections),
  },
  {
    name: "servers",
    title: "Servers: GET of 64 bytes, 50 connections, pipeline 1",
    unit: "request",
    points: [2, 10, 50, 200].map(ofServers),
  },
  {
    name: "keys",
    title: "Keys per MGET: values of 64 bytes, 20 connections, pipeline 1",
    unit: "key",
    points: [1, 10, 30, 100, 300, 1000, 3000].map(ofKeys),
  },
  {
    name: "size",
    title: "Size of a value: GET, up to 20 connections, pipeline 1",
    unit: "MB",
    points: [64, KB, 16 * KB, 64 * KB, 256 * KB, MB, 4 * MB, 16 * MB, 64 * MB].map(ofSize),
  },
  {
    name: "pipeline",
    title: "Pipeline: GET of 64 bytes, 50 connections",
    unit: "request",
    points: [1, 4, 16, 64, 250, 1000].map(ofPipeline),
  },
];
