/**
 * A machine for the scripts of scripts/: a project of its own, and commands that only pretend.
 *
 *   <folder>/project/scripts/   copies of ours
 *   <folder>/bin/               made-up bun, npm, apt-get, sudo …, first on the PATH
 *   <folder>/calls.txt          one line for each call of such a command
 *
 * What a made-up command does is a line of shell. The real machine is left as it is.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SCRIPTS = join(import.meta.dir, "../../scripts");

/** A Bun that does what is asked of it. */
export const GOOD_BUN = `
case "$1 $2" in
  "--version "*) echo 1.4.5 ;;
  "run build") mkdir -p dist && echo binary > dist/nutcracker ;;
  "test "*) printf ' 3 pass\\n 0 fail\\nRan 3 tests across 1 file. [1.00ms]\\n' >&2 ;;
esac`;

export interface Outcome {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
  /** What the made-up commands were called with. */
  readonly calls: string[];
}

export class FakeMachine {
  readonly folder: string = temporaryFolder("machine");
  readonly project: string = join(this.folder, "project");
  readonly bin: string = join(this.folder, "bin");

  constructor() {
    mkdirSync(this.bin);
    cpSync(SCRIPTS, join(this.project, "scripts"), { recursive: true });
    this.command("bun", GOOD_BUN);
  }

  /** Makes a command; in its shell text, $BIN is the folder of the commands. */
  command(name: string, shell: string, path: string = join(this.bin, name)): void {
    const log = `echo "${name} $*" >> "${join(this.folder, "calls.txt")}"`;
    writeFileSync(path, `#!/bin/sh\nBIN="${this.bin}"\n${log}\n${shell}\n`, { mode: 0o755 });
  }

  /** A program text for Node.js, run in the project. */
  async node(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    const PATH = `${this.bin}:${process.env["PATH"]}`;
    const child = new ChildProcess({
      command: ["node", ...args],
      folder: this.project,
      environment: { npm_execpath: "", npm_config_global_prefix: "", PATH, ...environment },
    });
    const status = await child.ended(30_000);
    return { status, stdout: child.stdout, stderr: child.stderr, calls: this.calls() };
  }

  calls(): string[] {
    const file = join(this.folder, "calls.txt");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }
}
