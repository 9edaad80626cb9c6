/**
 * A bundle as policies again. What is judged by are its sources, compiled here like any folder: the module in it is for
 * OPA and is never run. Whether anybody stands for the bundle is for the caller to ask, before it takes the policies.
 */
import * as z from "zod";
import { decodeBase64, decodeUtf8 } from "../lib/bytes.ts";
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseStrictJson } from "../lib/json.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { BUNDLE_NAME } from "./bundle.ts";
import { type BundleFile, invalid, readArchive } from "./bundle-archive.ts";
import { policyDigest } from "./compile.ts";
import type { PolicyFile } from "./policy-set.ts";
import { digestOfText } from "./policy-sources.ts";
import { isPolicyFile } from "./reading.ts";

const MAXIMUM_JSON_BYTES = 48 * 1024 * 1024;
const MAXIMUM_DEPTH = 16;
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
  readonly files: ReadonlyMap<BundleFile, Uint8Array>;
}

/** @throws SluiceError `bundle-invalid`, `bundle-too-large`, `bundle-other-version` */
export function readBundle(zipped: Uint8Array): ReadBundle {
  const files = readArchive(zipped);
  const data = jsonOf(files, "data.json");
  if (data === null || typeof data !== "object" || Object.keys(data).length > 0)
    throw invalid("it brings data, and policies are given none");
  const manifest = manifestSchema.safeParse(jsonOf(files, ".manifest"));
  if (!manifest.success) throw invalid("its manifest is not of the right form");
  const { revision, metadata } = manifest.data;
  const { sources, name, version, notAfter } = metadata.sluice;
  const policies = policiesOf(sources, revision);
  const ends = notAfter === null ? null : parseTime(notAfter);
  if (notAfter !== null && ends === null) throw invalid("the time until which it holds is none");
  return { policies, digest: revision, name, version, notAfter: ends, files };
}

function policiesOf(base64: string, revision: string): readonly PolicyFile[] {
  const bytes = decodeBase64(base64);
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text === null || digestOfText(text) !== revision) throw invalid("its sources are not what its revision names");
  const { policies } = JSON.parse(text) as { policies: [string, string][] }; // digestOfText() held it to its schema
  const files = policies.map(([path, content]) => ({ path, text: content }));
  const odd = files.find(({ path }) => !isPlain(path) || !isPolicyFile(path));
  if (odd !== undefined) throw invalid(`${JSON.stringify(odd.path.slice(0, MAXIMUM_PATH))} is no name of a policy`);
  if (new Set(files.map(({ path }) => path)).size < files.length) throw invalid("two policies have one name");
  if (policyDigest(files) === revision) return files;
  throw new SluiceError("bundle-other-version", "The bundle was built by another version of Sluice or of OPA.");
}

/** Below the folder that it is shown in. */
function isPlain(path: string): boolean {
  return path.length <= MAXIMUM_PATH && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function jsonOf(files: ReadonlyMap<BundleFile, Uint8Array>, name: BundleFile): JsonValue {
  const bytes = files.get(name);
  if (bytes === undefined) throw invalid(`it has no ${name}`);
  const text = decodeUtf8(bytes);
  const reading = text === null ? null : parseStrictJson(text, { bytes: MAXIMUM_JSON_BYTES, depth: MAXIMUM_DEPTH });
  if (reading?.kind !== "value") throw invalid(`${name} is not JSON that everybody reads alike`);
  return reading.value;
}
