/** Settings of the whole process, in the file and on the command line. */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { poolsToYaml, Proxy } from "../support/run-proxy.ts";
import { workersOf } from "./worker-family.ts";

function configWith(line: string): string {
  const listen = `127.0.0.1:${freePort()}`;
  return `${line}\n${poolsToYaml({ alpha: { listen, servers: ["127.0.0.1:1:1"] } })}`;
}

test("workers: 2 in the file is as good as -w 2", async () => {
  await using proxy = await Proxy.start({ config: configWith("workers: 2") });
  await eventually(() => proxy.log.includes("worker 2 serves"));
  expect(workersOf(proxy.pid)).toHaveLength(2);
  const client = await proxy.connect();
  await client.expectOpen();
});

test("-w wins over workers: 2", async () => {
  await using proxy = await Proxy.start({ config: configWith("workers: 2"), args: ["-w", "1"] });
  const client = await proxy.connect();
  await client.expectOpen();
  expect(workersOf(proxy.pid)).toEqual([]);
});

test("a mistake ends the start with its place", async () => {
  const start = Proxy.start({ config: configWith("max_buffer_memory: 1tb") });
  await expect(start).rejects.toThrow(/:1: max_buffer_memory: found "1tb", allowed: at least 16mb/);
});
