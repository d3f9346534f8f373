/**
 * Gives memory back to the system when a burst is over.
 *
 *   every 2 s: larger than after the last collection, and nearly idle? collect
 *
 * JavaScriptCore collects when somebody allocates. After a burst nobody does, and what it left
 * would lie there for ten seconds or for hours. A collection takes a few milliseconds, so it is
 * none of the busy: those collect as they go.
 */

const LOOK_INTERVAL_MS = 2_000;
/** Less is not worth a collection. */
const WORTH_BYTES = 16 * 1024 * 1024;
/** Of one processor. */
const IDLE_SHARE_MAX = 0.1;
const US_PER_MS = 1000;

export function returnMemoryWhenIdle(): void {
  let floorBytes = process.memoryUsage.rss();
  let usedUs = cpuUs();
  const look = () => {
    const lastUs = usedUs;
    usedUs = cpuUs();
    const sizeBytes = process.memoryUsage.rss();
    floorBytes = Math.min(floorBytes, sizeBytes);
    if (sizeBytes - floorBytes < WORTH_BYTES) return;
    if (usedUs - lastUs > IDLE_SHARE_MAX * LOOK_INTERVAL_MS * US_PER_MS) return;
    Bun.gc(true);
    floorBytes = process.memoryUsage.rss();
  };
  setInterval(look, LOOK_INTERVAL_MS).unref();
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
