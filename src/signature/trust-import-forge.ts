/**
 * What a forge lists of one account: armoured OpenPGP text (`/NAME.gpg`), or the JSON of its API, which is a list of
 * `{key: "ssh-ed25519 AAAA..."}` (signing keys) or `{raw_key: "-----BEGIN PGP..."}`. A forge's word is no proof: whoever
 * imports compares each fingerprint with its owner.
 */
import { decodeUtf8, utf8 } from "../lib/bytes.ts";
import type { JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseStrictJson } from "../lib/json.ts";
import { sshKeyFromLine } from "./ssh-key.ts";
import { type Found, importKeyring, joined } from "./trust-import.ts";

const LIMITS = { bytes: 8 * 1024 * 1024, depth: 16 };
const MAXIMUM_KEYS = 1000;
const SOURCE = "github";
const NOTHING: Found = { keys: [], authorities: [], skipped: [] };

/** `email` is the owner of SSH keys, which name nobody. @throws SluiceError `trust-import-invalid`, `keyring-invalid` */
export function importForgeKeys(bytes: Uint8Array, email: string | null): Found {
  const text = decodeUtf8(bytes)?.trim();
  if (text === undefined || bytes.byteLength > LIMITS.bytes) throw invalid("it is not UTF-8 text of 8 MiB at most");
  if (text.startsWith("-----BEGIN PGP")) return importKeyring(bytes, SOURCE);
  const reading = parseStrictJson(text, LIMITS);
  if (reading.kind === "refused") throw invalid(`line ${reading.line}: ${reading.message}`);
  const { value } = reading;
  if (!Array.isArray(value) || value.length > MAXIMUM_KEYS) throw invalid("it is no list of at most 1,000 keys");
  return joined([NOTHING, ...value.map((one, index) => importOne(one, index, email))]);
}

function importOne(one: JsonValue, index: number, email: string | null): Found {
  const fields = one !== null && typeof one === "object" && !Array.isArray(one) ? one : {};
  const { key, raw_key: armoured } = fields as Readonly<Record<string, JsonValue | undefined>>;
  if (typeof armoured === "string") return importKeyring(utf8(armoured), `${SOURCE}, key ${index + 1}`);
  if (typeof key !== "string") throw invalid(`entry ${index + 1} holds neither key nor raw_key`);
  const read = sshKeyFromLine(key);
  if (read.kind !== "key") return skipped(index, read.detail);
  if (email === null) return skipped(index, `the list does not say whose ${read.fingerprint} is: --email ADDRESS`);
  const line = key
    .trim()
    .split(/[ \t]+/)
    .slice(0, 2)
    .join(" ");
  const nothing = { certificate: null, from: null, until: null };
  const found = {
    format: "ssh",
    fingerprint: read.fingerprint,
    line,
    emails: [email.toLowerCase()],
    source: SOURCE,
  } as const;
  return { ...NOTHING, keys: [{ ...found, ...nothing }] };
}

function skipped(index: number, why: string): Found {
  return { ...NOTHING, skipped: [{ what: `key ${index + 1}`, why }] };
}

function invalid(why: string): SluiceError {
  return new SluiceError("trust-import-invalid", `Standard input is no list of a forge's keys: ${why}.`, {
    fix: "give it what the forge answers for one account: sluice trust import github - < keys.json",
  });
}
