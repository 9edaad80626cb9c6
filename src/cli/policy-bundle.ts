/**
 * Policies where they lie: a folder, or a bundle of `sluice policy build` for which enough people stand. A bundle brings
 * no trust of its own; what is asked of it is what the trust folder asks of a change to policies in git (`change:`, one
 * person where it is absent), or the one key that was named.
 */
import { join, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import { takeVersion } from "../policy/bundle-memory.ts";
import { type ReadBundle, readBundle } from "../policy/bundle-read.ts";
import { verifyBundleSignatures } from "../policy/bundle-signature.ts";
import type { Signer } from "../signature/verification.ts";
import { openVerifier } from "../signature/verify.ts";
import type { Command, Invocation } from "./command.ts";
import { textOption } from "./command.ts";
import { readRegularFile } from "./folder-files.ts";
import { numberOption } from "./log-list.ts";
import { type PolicyFolder, readPolicyFolder } from "./policy-folder.ts";
import { type FoundTrust, givenTrust } from "./trust-path.ts";

const BUNDLE_NAMESPACE = "sluice-bundle";
const MAXIMUM_SIGNATURES = 32;
const MAXIMUM_SIGNATURE_BYTES = 256 * 1024;
const ARMOUR = /-----BEGIN SSH SIGNATURE-----[\s\S]*?-----END SSH SIGNATURE-----\r?\n?/g;

/** Of every command that takes a bundle where it takes a folder. */
export const BUNDLE_OPTIONS = {
  trust: { type: "string", value: "PATH", description: "who may sign a bundle (default: the trust folder here)" },
  "bundle-key": { type: "string", value: "FILE", description: "a bundle signed for OPA: PEM of the public key" },
  "minimum-version": { type: "string", value: "N", description: "refuse an older bundle" },
} as const satisfies Command["options"];

/** @throws SluiceError as readPolicyFolder(), and the `bundle-` codes */
export async function openPolicies(invocation: Invocation, named: string | undefined): Promise<PolicyFolder> {
  if (named?.endsWith(".tar.gz") !== true) return readPolicyFolder(invocation, named);
  const bytes = readRegularFile(resolve(invocation.folder, named));
  if (bytes === null)
    throw new SluiceError("configuration-missing", `${named} is not a file that can be read.`, {
      fix: "sluice policy build DIR --output policies.tar.gz",
    });
  const bundle = readBundle(bytes);
  const anchor = await requireSigned(invocation, named, bytes, bundle);
  requireCurrent(bundle, numberOption(invocation, "minimum-version"), invocation.clock());
  takeVersion(join(invocation.surroundings.stateFolder, "bundles"), anchor, bundle);
  return { shown: named, root: invocation.folder, files: bundle.policies, examples: [] };
}

/** By the key that was named, by people, or by both where both were. @returns what it is believed by */
async function requireSigned(
  invocation: Invocation,
  named: string,
  bytes: Uint8Array,
  { files }: ReadBundle,
): Promise<string> {
  const key = textOption(invocation, "bundle-key");
  if (key !== undefined) verifyBundleSignatures(files, keyText(invocation, key));
  if (key !== undefined && textOption(invocation, "trust") === undefined)
    return `key ${resolve(invocation.folder, key)}`;
  const signatures = signaturesBeside(resolve(invocation.folder, `${named}.sig`), named);
  const found = await givenTrust(invocation, invocation.folder);
  requirePeople(found, await signersOf(found, signatures, bytes, invocation.clock()));
  return `trust ${resolve(invocation.folder, found.path)}`;
}

function keyText(invocation: Invocation, file: string): string {
  const bytes = readRegularFile(resolve(invocation.folder, file));
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text !== null) return text;
  throw new SluiceError("configuration-missing", `${file} is not a file of a key.`, {
    fix: "--bundle-key bundle.pub",
  });
}

function signaturesBeside(path: string, named: string): readonly Uint8Array[] {
  const bytes = readRegularFile(path);
  const found = bytes === null || bytes.byteLength > MAXIMUM_SIGNATURE_BYTES ? null : decodeUtf8(bytes)?.match(ARMOUR);
  if (found && found.length <= MAXIMUM_SIGNATURES) return found.map((text) => Buffer.from(text));
  throw new SluiceError("bundle-unsigned", `There is no ${named}.sig with 1 to ${MAXIMUM_SIGNATURES} SSH signatures.`);
}

interface Signatures {
  readonly signers: readonly Signer[];
  /** Why others do not count. */
  readonly rejected: readonly string[];
}

async function signersOf(
  { trust }: FoundTrust,
  signatures: readonly Uint8Array[],
  payload: Uint8Array,
  instant: Instant,
): Promise<Signatures> {
  const verifier = await openVerifier(trust, "sha1");
  const at = { instant, basis: "now" } as const;
  const [signers, rejected]: [Signer[], string[]] = [[], []];
  for (const signature of signatures) {
    const signed = { format: "ssh", signature, namespace: BUNDLE_NAMESPACE, payload } as const;
    const outcome = await verifier.verifyDetached(signed, at);
    if (outcome.kind === "verified") signers.push(outcome.signer);
    else rejected.push(outcome.detail);
  }
  return { signers, rejected };
}

/** A person counts once, whatever keys they sign with; robots and forges never. */
function requirePeople({ trust, path }: FoundTrust, { signers, rejected }: Signatures): void {
  const { count, roles } = trust.change ?? { count: 1, roles: [] };
  const people = new Map(signers.filter((one) => one.class === "person").map((one) => [one.person, one]));
  const lacking = roles.filter((role) => ![...people.values()].some((one) => one.roles.includes(role)));
  if (people.size >= count && lacking.length === 0) return;
  const who = people.size === 0 ? "nobody" : [...people.keys()].sort().join(", ");
  const missing = lacking.length === 0 ? "" : `, none of role ${lacking.join(", ")}`;
  const why = rejected.length === 0 ? "" : ` ${rejected[0]}`;
  throw new SluiceError(
    "bundle-signature",
    `The bundle is signed by ${who} of ${path}, and ${count} must sign it${missing}.${why}`,
  );
}

function requireCurrent({ version, notAfter }: ReadBundle, minimum: number | undefined, now: Instant): void {
  if (notAfter !== null && now >= notAfter)
    throw new SluiceError("bundle-expired", `The bundle ended at ${formatTime(notAfter)}.`);
  if (minimum === undefined || (version !== null && version >= minimum)) return;
  const is = version === null ? "has no version" : `is version ${version}`;
  throw new SluiceError("bundle-rolled-back", `The bundle ${is}, and none before ${minimum} is taken.`);
}
