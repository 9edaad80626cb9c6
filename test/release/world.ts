/** A gate in small: a real log, real keys, a real channel folder, and the steps of a release in their order. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { canonicalJson, type JsonObject } from "../../src/lib/canonical.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { generateNoteKey, noteSigner, noteVerifier } from "../../src/log/note.ts";
import { buildRelease, type ReleaseRequest } from "../../src/release/build.ts";
import { openDirectoryChannel } from "../../src/release/channels/directory.ts";
import { makeHead, signHead } from "../../src/release/head.ts";
import { isHeld, readHolds } from "../../src/release/holds.ts";
import { manifestDigest, signRelease } from "../../src/release/manifest.ts";
import { manifestsDigest, releaseObjects } from "../../src/release/manifests.ts";
import { type ObjectStore, openObjectStore } from "../../src/release/object-store.ts";
import { publishHead, publishRelease } from "../../src/release/publish.ts";
import { lastRelease, releaseDraft, type SignedRelease } from "../../src/release/record.ts";
import type { Channel, Head, Release } from "../../src/release/release.ts";
import type { Resource } from "../../src/render/resource.ts";
import { draft, logPath, openTestLog } from "../support/log.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

export const COMMIT = "5d2c0aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0e1";
export const TREE = "9be1d029be1d029be1d029be1d029be1d029be1d";
export const START = Date.UTC(2026, 10, 21, 12);
const GATE = "gate.example/release";
export const RELEASE_KEY = generateNoteKey(GATE, new Uint8Array(32).fill(1));
export const AGENT_KEY = generateNoteKey("prod-1", new Uint8Array(32).fill(2));
export const RELEASE_KEYS = [noteVerifier(RELEASE_KEY.vkey)];

export function resource(kind: string, name: string, more: JsonObject = {}, namespace = "shop"): Resource {
  const apiVersion = kind === "Deployment" ? "apps/v1" : "v1";
  const object: JsonObject = { apiVersion, kind, metadata: { name, namespace }, ...more };
  const canonical = canonicalJson(object);
  const id = { group: kind === "Deployment" ? "apps" : "", version: "v1", kind, namespace, name };
  const origin = { file: `${name}.yaml`, line: 1, document: 0, at: "", tool: "plain" } as const;
  return { id, object, canonical, sha256: sha256Hex(canonical), origin };
}

/** `web-0` to `web-<count - 1>`, with `content` in each. */
export function resources(count: number, content = "a"): readonly Resource[] {
  return Array.from({ length: count }, (_, at) => resource("ConfigMap", `web-${at}`, { data: { content } }));
}

export function decisionDraft(objects: readonly Resource[], change: Partial<EntryDraft> = {}): EntryDraft {
  const manifests = manifestsDigest(releaseObjects(objects));
  return draft({
    subject: { base: COMMIT, commit: COMMIT, judge: COMMIT, tree: TREE },
    disclosed: { digests: { manifests, policies: null }, findings: [] },
    terms: [],
    ...change,
  });
}

export interface World {
  readonly log: DecisionLog;
  readonly objects: ObjectStore;
  readonly channel: Channel;
  readonly channelFolder: string;
  now: number;
  decide(objects: readonly Resource[], change?: Partial<EntryDraft>): Promise<number>;
  build(objects: readonly Resource[], change?: Partial<ReleaseRequest>): Promise<Release>;
  /** Everything from the decision to a fresh head in the channel. */
  release(objects: readonly Resource[], change?: Partial<ReleaseRequest>): Promise<SignedRelease>;
  /** Signs `release` as it is, logs and publishes it; what build() would refuse too. */
  put(release: Release, objects: readonly Resource[], key?: string): Promise<SignedRelease>;
  head(change?: Partial<Head>, key?: string): Promise<void>;
}

/** The log is closed before its folder goes: what runs after a test runs in the order in which it was asked for. */
export async function openWorld(t: Scope): Promise<World> {
  let opened: DecisionLog | null = null;
  t.after(() => opened?.close());
  const folder = tempFolder(t);
  const log = await openTestLog(logPath(t), { random: randomBytes });
  opened = log;
  const channelFolder = join(folder, "channel");
  const objects = await openObjectStore(join(folder, "objects"));
  const channel = await openDirectoryChannel(channelFolder);
  const world: World = {
    log,
    objects,
    channel,
    channelFolder,
    now: START,
    decide: async (given, change) => (await log.append(decisionDraft(given, change))).index,
    async build(given, change) {
      const request = { log, target: "prod", repository: "shop", rollbackOf: null, permit: null, now: world.now };
      const decisionIndex = change?.decisionIndex ?? (await world.decide(given));
      return buildRelease({ ...request, decisionIndex, resources: given, ...change });
    },
    async release(given, change) {
      const signed = await world.put(await world.build(given, change), given);
      await world.head();
      return signed;
    },
    async put(release, given, key = RELEASE_KEY.skey) {
      for (const one of given) await objects.put(Buffer.from(one.canonical));
      const note = signRelease(release, noteSigner(key));
      const { leaf } = await log.read(release.decision.index);
      await log.append(releaseDraft(release, note, leaf.digests));
      const signed = { release, note, manifestDigest: manifestDigest(note) };
      await publishRelease(channel, signed, { log, objects });
      return signed;
    },
    async head(change, key = RELEASE_KEY.skey) {
      const last = await lastRelease(log, "prod");
      const latest = last && { sequence: last.release.sequence, manifestDigest: last.manifestDigest };
      const checkpoint = await log.checkpoint();
      const hold = isHeld(await readHolds(log), "prod", "shop");
      const head = makeHead({ target: "prod", latest, hold, checkpoint }, world.now);
      await publishHead(channel, signHead({ ...head, ...change }, noteSigner(key)), checkpoint, log);
    },
  };
  return world;
}
