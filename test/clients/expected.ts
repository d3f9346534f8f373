/**
 * What every client library must see through the proxy, whatever its language.
 */

/** Half of the pipeline's commands: so many SETs, then so many GETs. */
export const PIPELINE_HALF = 500;

export const TYPES = {
  string: "text",
  missing: null,
  many: ["text", null, "5"],
  hash: { a: "1", b: "2" },
  list: ["x", "y"],
  set: ["m", "n"],
  score: 1.5,
  range: ["one", "two"],
  stream: 1,
  deleted: 2,
};

/** The value of one key in database 0 and in database 3. */
export const SELECTED = ["0", "3"];

/** What ready checks read in INFO. */
export const READY = ["loading", "redis_version", "role"];
