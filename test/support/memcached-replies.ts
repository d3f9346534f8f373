/**
 * Reads memcached replies off a raw client, as latin1 text: a line, or what a line announces.
 *
 *   VALUE ... up to END, VA <size> with its block, STAT ... up to END; else one line
 */
import type { RawClient } from "./raw-client.ts";

/** Reads one reply. */
export async function readReply(client: RawClient): Promise<string> {
  let reply = "";
  for (;;) {
    const line = await client.readLine();
    reply += line;
    const words = line.trimEnd().split(" ");
    if (words[0] === "VALUE") reply += await readBlock(client, Number(words[3]));
    else if (words[0] === "VA") return reply + (await readBlock(client, Number(words[1])));
    else if (words[0] !== "STAT") return reply;
  }
}

async function readBlock(client: RawClient, sizeBytes: number): Promise<string> {
  return (await client.readExactly(sizeBytes + 2)).toString("latin1");
}

/** Sends a request and returns its reply. */
export async function ask(client: RawClient, request: string | Uint8Array): Promise<string> {
  void client.send(request);
  return readReply(client);
}

/**
 * Sends requests, of which any may be silent, and returns the replies of all of them.
 *
 * The last request is ours: a miss with a text of our own, that ends what is read.
 */
export async function askAll(client: RawClient, requests: string | Uint8Array): Promise<string[]> {
  const mark = `Oend${markCount++}`;
  void client.send(requests);
  void client.send(`mg no-such-key ${mark}\r\n`);
  const replies: string[] = [];
  for (;;) {
    const reply = await readReply(client);
    if (reply === `EN ${mark}\r\n`) return replies;
    replies.push(reply);
  }
}

let markCount = 0;
