/**
 * A bundle as policies again. What is judged by are its sources, compiled here like any folder: the module in it is for
 * OPA and is never run. Whether anybody stands for the bundle is for the caller to ask, before it takes the policies.
 */
import * as z from "zod";
import { decodeBase64, decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { type ExactJson, type ExactObject, exactJsonText, isExactObject } from "../lib/exact-json.ts";
import { parseExactJson } from "../lib/json.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { BUNDLE_NAME } from "./bundle.ts";
import { BUNDLE_FILES, invalid, readArchive } from "./bundle-archive.ts";
import { policyDigest } from "./compile.ts";
import { readDataFiles } from "./data-files.ts";
import { opaPolicies } from "./opa-bundle.ts";
import type { PolicyFile } from "./policy-set.ts";
import { digestOfText, filesOfText } from "./policy-sources.ts";
import { isPolicyFile } from "./reading.ts";

const MAXIMUM_JSON_BYTES = 48 * 1024 * 1024;
/** Of the data: a hundred levels in a file, and its folders. */
const MAXIMUM_DEPTH = 200;
const MAXIMUM_PATH = 500;

/** `metadata.sluice` of the manifest. */
const termsSchema = z.strictObject({
  /** base64 of the text that the revision is the digest of (policy-sources.ts). */
  sources: z.string(),
  /** Absent in bundles of before there were names. */
  name: z.string().regex(BUNDLE_NAME).nullable().default(null),
  version: z.int().min(0).nullable(),
  notAfter: z.string().nullable(),
});

const manifestSchema = z.looseObject({
  revision: z.string().regex(/^[0-9a-f]{64}$/),
  metadata: z.strictObject({ sluice: termsSchema }),
});

export interface ReadBundle {
  readonly policies: readonly PolicyFile[];
  /** Of the policies, as decisions name it. */
  readonly digest: string;
  /** null where it says none. */
  readonly name: string | null;
  /** null where it says none. */
  readonly version: number | null;
  readonly notAfter: Instant | null;
  /** All, by name: what OPA's signatures are about. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** @throws SluiceError `bundle-invalid`, `bundle-too-large`, `bundle-other-version` */
export function readBundle(zipped: Uint8Array): ReadBundle {
  const files = readArchive(zipped);
  const given = jsonOf(files, ".manifest");
  if (!isExactObject(given)) throw invalid("its manifest is not of the right form");
  const { metadata: about } = given;
  if (!isExactObject(about) || !Object.hasOwn(about, "sluice")) return readOpaBundle(files, given);
  const odd = [...files.keys()].find((name) => !BUNDLE_FILES.has(name));
  if (odd !== undefined) throw invalid(`${JSON.stringify(odd)} is none of its files`);
  const data = jsonOf(files, "data.json");
  const manifest = manifestSchema.safeParse(JSON.parse(exactJsonText(given)));
  if (!manifest.success) throw invalid("its manifest is not of the right form");
  const { revision, metadata } = manifest.data;
  const { sources, name, version, notAfter } = metadata.sluice;
  const policies = policiesOf(sources, revision);
  if (!isDataOf(data, policies)) throw invalid("its data is not that of its policies");
  const ends = notAfter === null ? null : parseTime(notAfter);
  if (notAfter !== null && ends === null) throw invalid("the time until which it holds is none");
  return { policies, digest: revision, name, version, notAfter: ends, files };
}

/** It says nothing of a version or an end, and has the digest that a folder with its files has. */
function readOpaBundle(files: ReadonlyMap<string, Uint8Array>, manifest: ExactObject): ReadBundle {
  const texts = new Map([...files].map(([path, bytes]) => [path, path === "policy.wasm" ? "" : textIn(path, bytes)]));
  const policies = opaPolicies(texts, manifest);
  return { policies, digest: policyDigest(policies), name: null, version: null, notAfter: null, files };
}

function textIn(path: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === null) throw invalid(`${path} is not UTF-8 text`);
  return text;
}

function policiesOf(base64: string, revision: string): readonly PolicyFile[] {
  const bytes = decodeBase64(base64);
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text === null || digestOfText(text) !== revision) throw invalid("its sources are not what its revision names");
  const files = filesOfText(text);
  const odd = files.find(({ path }) => !isPlain(path) || !isPolicyFile(path));
  if (odd !== undefined) throw invalid(`${JSON.stringify(odd.path.slice(0, MAXIMUM_PATH))} is no name of a policy`);
  if (new Set(files.map(({ path }) => path)).size < files.length) throw invalid("two policies have one name");
  if (policyDigest(files) === revision) return files;
  throw new SluiceError("bundle-other-version", "The bundle was built by another version of Sluice or of OPA.");
}

/** What OPA is given is what the data files say; copies for imported packages stand under names of our own. */
function isDataOf(data: ExactJson, policies: readonly PolicyFile[]): boolean {
  if (!isExactObject(data)) return false;
  const { sluice = {}, ...given } = data;
  const isCopies = isExactObject(sluice) && Object.keys(sluice).every((name) => /^p_[0-9a-f]{16}$/.test(name));
  return isCopies && exactJsonText(given) === exactJsonText(readDataFiles(policies).document);
}

/** Below the folder that it is shown in. */
function isPlain(path: string): boolean {
  return path.length <= MAXIMUM_PATH && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function jsonOf(files: ReadonlyMap<string, Uint8Array>, name: string): ExactJson {
  const bytes = files.get(name);
  if (bytes === undefined) throw invalid(`it has no ${name}`);
  const text = decodeUtf8(bytes);
  const reading = text === null ? null : parseExactJson(text, { bytes: MAXIMUM_JSON_BYTES, depth: MAXIMUM_DEPTH });
  if (reading?.kind !== "value") throw invalid(`${name} is not JSON that everybody reads alike`);
  return reading.value;
}
