/** Finding a command by the bytes of its name, against a Map of strings. */
import { bench, do_not_optimize, group, run } from "mitata";
import { COMMAND_TABLE, COMMANDS } from "../../src/protocol/redis/commands.ts";

const byName = new Map(COMMANDS.map((row) => [row.name, row]));

for (const name of ["GET", "set", "HGETALL", "ZREVRANGEBYSCORE"]) {
  const bytes = Buffer.from(`xx${name}yy`);
  group(name, () => {
    bench("CommandTable", () => do_not_optimize(COMMAND_TABLE.find(bytes, 2, name.length)));
    bench("Map of strings", () =>
      do_not_optimize(byName.get(bytes.toString("latin1", 2, 2 + name.length).toUpperCase())),
    );
  });
}

await run();
