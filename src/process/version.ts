/**
 * The name and version under which the program answers. It is the version of nutcracker that it
 * stands in for: scripts compare this text, and monitoring reads it from the stats.
 */

export const PROGRAM_NAME = "nutcracker";
export const VERSION = "0.5.0";
