/**
 * The table of all fuzzers; each group of them has a file.
 */
import { CANARY } from "./canary.ts";
import { CLIENT_CONNECTION_FUZZERS } from "./client-connections.ts";
import { FRAGMENT_FUZZERS } from "./fragment-kinds.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { MEMCACHED_PARSER_FUZZERS } from "./memcached-parsers.ts";
import { FUNCTION_FUZZERS } from "./plain-functions.ts";
import { REDIS_PARSER_FUZZERS } from "./redis-parsers.ts";
import { SERVER_CONNECTION_FUZZERS } from "./server-connections.ts";

export const FUZZERS: readonly Fuzzer[] = [
  ...REDIS_PARSER_FUZZERS,
  ...MEMCACHED_PARSER_FUZZERS,
  ...FRAGMENT_FUZZERS,
  ...FUNCTION_FUZZERS,
  ...CLIENT_CONNECTION_FUZZERS,
  ...SERVER_CONNECTION_FUZZERS,
  CANARY,
];
