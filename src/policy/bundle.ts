/**
 * A policy set as an OPA bundle: a gzipped tar of policy.wasm, data.json and .manifest
 * (https://www.openpolicyagent.org/docs/management-bundles). The same set gives the same bytes, everywhere: no time, no
 * owner, and no word about the machine. With a key it has `.signatures.json` too.
 */
import { gzipSync } from "node:zlib";
import { concatBytes, encodeBase64, utf8 } from "../lib/bytes.ts";
import { canonicalJson } from "../lib/canonical.ts";
import { bundleSignatures, type SigningKey } from "./bundle-signature.ts";
import { nestedText } from "./data-files.ts";
import { AGGREGATE_PACKAGE, RESULT_ENTRYPOINT, ruleEntrypoint } from "./entrypoints.ts";
import type { PolicySet } from "./policy-set.ts";
import { type PolicySources, sourcesText } from "./policy-sources.ts";

const BLOCK_BYTES = 512;
/** RFC 1952: the byte of the header that names the operating system; 255 is "unknown". */
const GZIP_SYSTEM = 9;
const UNKNOWN_SYSTEM = 255;

export const BUNDLE_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** What whoever builds a bundle says of it. */
export interface BundleTerms {
  /** Tells its versions from those of other bundles that the same people sign; null = not said. */
  readonly name: string | null;
  /** Goes up with every bundle that replaces another; null = not said. */
  readonly version: number | null;
  /** RFC 3339: from then on nobody takes it; null = not said. */
  readonly notAfter: string | null;
}

/** `sources` are those of the set. @throws SluiceError `signing-key-unusable` */
export function encodeBundle(
  set: PolicySet,
  sources: PolicySources,
  terms: BundleTerms,
  key: SigningKey | null,
): Uint8Array {
  const files: readonly (readonly [string, Uint8Array])[] = [
    ["data.json", utf8(`${nestedText(set.data)}\n`)],
    ["policy.wasm", set.wasm],
    [".manifest", utf8(`${manifestOf(set, sources, terms)}\n`)],
  ];
  const signatures = key === null ? [] : [[".signatures.json", bundleSignatures(files, key)] as const];
  const entries = [...files, ...signatures].flatMap(([name, content]) => {
    return [tarHeader(`/${name}`, content.byteLength), content, padding(content)];
  });
  const end = new Uint8Array(2 * BLOCK_BYTES);
  const zipped = gzipSync(concatBytes(...entries, end), { level: 9 });
  zipped[GZIP_SYSTEM] = UNKNOWN_SYSTEM;
  return new Uint8Array(zipped);
}

/**
 * The bundle owns nothing but the generated package and its data, so that others can be loaded beside it. The sources go in base64: in
 * plain text, two writers of JSON could escape them differently, and OPA's signature is over what it would write.
 */
function manifestOf(set: PolicySet, sources: PolicySources, { name, version, notAfter }: BundleTerms): string {
  const entrypoints = [RESULT_ENTRYPOINT, ...set.rules.map((_, index) => ruleEntrypoint(index))];
  return canonicalJson({
    revision: set.digest,
    roots: [AGGREGATE_PACKAGE.replaceAll(".", "/"), ...set.data.map(([path]) => path.join("/"))].sort(),
    rego_version: 1,
    metadata: { sluice: { sources: encodeBase64(utf8(sourcesText(sources))), name, version, notAfter } },
    wasm: entrypoints.map((entrypoint) => ({ entrypoint, module: "/policy.wasm" })),
  });
}

/** POSIX.1-1988 ustar: name 0, mode 100, uid 108, gid 116, size 124, time 136, checksum 148, type 156, magic 257. */
function tarHeader(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0, "latin1");
  header.write("0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write(`${"0".repeat(11)}\0`, 136, "latin1");
  header.write(" ".repeat(8), 148, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\u000000", 257, "latin1");
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return new Uint8Array(header);
}

function padding(content: Uint8Array): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (content.byteLength % BLOCK_BYTES)) % BLOCK_BYTES);
}
