/** Bytes as they are: the log in C2SP layout, and what agents read of a channel. */
import * as z from "zod";
import { SluiceError } from "../../../lib/errors.ts";
import { parseTilePath } from "../../../log/tile.ts";
import { defineRoute, found, permitTarget, READERS } from "../define.ts";
import { targetName } from "../fields.ts";
import type { Answer } from "../route.ts";

const BYTES = "application/octet-stream";
const NOTE = "text/plain; charset=utf-8";
const MACHINES = [...READERS, "caller"] as const;

export const logCheckpoint = defineRoute({
  id: "log-checkpoint",
  method: "GET",
  path: "/log/checkpoint",
  summary: "The newest signed checkpoint: C2SP tlog-checkpoint.",
  roles: MACHINES,
  isLogged: false,
  answer: { type: NOTE },
  async handle({ view }) {
    return { type: NOTE, body: found(await view.resource("checkpoint"), "checkpoint yet") };
  },
});

const tilePath = z
  .string()
  .regex(/^(?:entries|0|[1-9][0-9]?)\/(?:x[0-9]{3}\/){0,4}[0-9]{3}(?:\.p\/[1-9][0-9]{0,2})?$/)
  .describe("<level>/<number>[.p/<width>], or entries/<number>[.p/<width>].");

export const logTile = defineRoute({
  id: "log-tile",
  method: "GET",
  path: "/log/tile/{path+}",
  summary: "A tile of hashes, or a bundle of entries: C2SP tlog-tiles. It never changes.",
  roles: MACHINES,
  isLogged: false,
  parameters: { path: tilePath },
  answer: { type: BYTES },
  async handle({ view, principal, parameters }) {
    const path = `tile/${parameters["path"]}`;
    const tile = found(parseTilePath(path), "tile of this name");
    if (tile.level === "entries" && principal.targets !== null) {
      throw new SluiceError("not-permitted", "Entries of every target are in a bundle, and this access is for some.");
    }
    return { type: BYTES, body: found(await view.resource(path), "such tile in the log yet"), caching: "immutable" };
  },
});

const channelPath = z
  .string()
  .regex(
    /^(?:head\.json|checkpoint|tile\/[0-9a-z./]{1,60}|releases\/[1-9][0-9]{0,14}\/(?:release\.json|entry\.json|entry\.tlog-proof|objects\/[A-Za-z0-9%._-]{1,250}))$/,
  )
  .describe("head.json, checkpoint, tile/..., releases/<sequence>/release.json, .../objects/<file>.");

export const releaseFile = defineRoute({
  id: "release-file",
  method: "GET",
  path: "/releases/{target}/{path+}",
  summary: "A file of the target's channel, as agents read it. Everything there proves itself.",
  roles: MACHINES,
  isLogged: false,
  parameters: { target: targetName, path: channelPath },
  answer: { type: BYTES },
  refusals: ["target-unknown"],
  async handle({ view, principal, parameters: { target = "", path = "" } }): Promise<Answer> {
    permitTarget(principal, target);
    const body = found(await view.releaseFile(target, path), "such file in the channel");
    const changes = path === "head.json" || path === "checkpoint";
    return { type: BYTES, body, ...(changes ? {} : { caching: "immutable" }) };
  },
});
