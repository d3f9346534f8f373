/**
 * The commands of the data types that came as modules: JSON, the probabilistic ones, time series.
 *
 * A server without the module answers that it does not know the command. Numbers of arguments are
 * left to the server; at least the key must be there.
 */
import type { CommandRow } from "./command-row.ts";
import { ALL_KEYS, ANY, forServer, KeyRule, keyed, ONE_SERVER, together } from "./command-row.ts";

const ONE_INDEX =
  "an index covers the keys of one server, and keys are spread over several: ask each one itself";

/** "ADD CARD" of "BF" -> "BF.ADD BF.CARD" */
function named(module: string, names: string): string {
  return names
    .split(/\s+/)
    .map((name) => `${module}.${name}`)
    .join(" ");
}

function moduleKeyed(module: string, names: string): CommandRow[] {
  return keyed(2, ANY, named(module, names));
}

export const MODULE_COMMANDS: readonly CommandRow[] = [
  ...moduleKeyed("JSON", "ARRAPPEND ARRINDEX ARRINSERT ARRLEN ARRPOP ARRTRIM CLEAR DEL FORGET GET"),
  ...moduleKeyed("JSON", "MERGE NUMINCRBY NUMMULTBY NUMPOWBY OBJKEYS OBJLEN RESP SET STRAPPEND"),
  ...moduleKeyed("JSON", "STRLEN TOGGLE TYPE"),
  ...together(3, "JSON.MGET", { lastKey: -2 }),
  ...together(4, "JSON.MSET", { lastKey: -1, keyStep: 3 }),
  ...together(2, "JSON.DEBUG", {
    firstKey: 2,
    keyRule: KeyRule.Subcommand,
    subcommand: "MEMORY",
    refusal: ONE_SERVER,
  }),
  ...moduleKeyed("BF", "ADD CARD EXISTS INFO INSERT LOAD LOADCHUNK MADD MEXISTS RESERVE SCANDUMP"),
  ...moduleKeyed("CF", "ADD ADDNX COMPACT COUNT DEL EXISTS INFO INSERT INSERTNX LOADCHUNK MEXISTS"),
  ...moduleKeyed("CF", "RESERVE SCANDUMP"),
  ...moduleKeyed("CMS", "INCRBY INFO INITBYDIM INITBYPROB QUERY"),
  ...moduleKeyed("TOPK", "ADD COUNT INCRBY INFO LIST QUERY RESERVE"),
  ...moduleKeyed("TDIGEST", "ADD BYRANK BYREVRANK CDF CREATE INFO MAX MIN QUANTILE RANK RESET"),
  ...moduleKeyed("TDIGEST", "REVRANK TRIMMED_MEAN"),
  ...together(4, "CMS.MERGE TDIGEST.MERGE", { keyRule: KeyRule.StoredCounted }),
  ...moduleKeyed("TS", "ADD ALTER CREATE DECRBY DEL GET INCRBY INFO RANGE REVRANGE"),
  ...together(3, "TS.CREATERULE TS.DELETERULE", { lastKey: 2 }),
  ...together(4, "TS.MADD", { lastKey: -1, keyStep: 3 }),
  ...forServer(ALL_KEYS, named("TS", "MGET MRANGE MREVRANGE QUERYINDEX")),
  ...moduleKeyed("FT", "SUGADD SUGDEL SUGGET SUGLEN"),
  ...forServer(
    ONE_INDEX,
    named("FT", "_LIST AGGREGATE ALIASADD ALIASDEL ALIASUPDATE ALTER CONFIG CREATE CURSOR"),
  ),
  ...forServer(
    ONE_INDEX,
    named("FT", "DICTADD DICTDEL DICTDUMP DROPINDEX EXPLAIN EXPLAINCLI HYBRID"),
  ),
  ...forServer(ONE_INDEX, named("FT", "INFO PROFILE SEARCH SPELLCHECK SYNDUMP SYNUPDATE TAGVALS")),
];
