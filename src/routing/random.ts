/**
 * The distribution `random`: any live server, whatever the key and the weights. Twin: nc_random.c.
 */
import { Continuum } from "./continuum.ts";
import type { Distribution } from "./distribution.ts";

export const random: Distribution = {
  usesKey: false,
  build: (_servers, live) => new Continuum([...live.keys()], live, live.length),
};
