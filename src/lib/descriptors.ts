/**
 * File descriptors by number, for messages: nutcracker's name the socket that could not be bound.
 */
import { closeSync, openSync } from "node:fs";

/** The number that the next descriptor of this process will have. */
export function nextDescriptor(): number {
  const descriptor = openSync("/dev/null", "r");
  closeSync(descriptor);
  return descriptor;
}
