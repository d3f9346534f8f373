/**
 * A request through the whole data plane without the kernel: client chunk in, server chunk out,
 * reply in, reply out. What is left of the cost of a request when the system calls are taken away.
 */
import { bench, group, run } from "mitata";
import { ROUNDS, roundOf } from "./data-plane.ts";

group("through the data plane", () => {
  for (const [name, requests, reply, clients] of ROUNDS) {
    const round = roundOf(requests, reply, clients);
    bench(`${name}, per ${requests.length * clients} requests`, round);
  }
});

await run();
process.exit(0);
