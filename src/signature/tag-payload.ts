/**
 * Splits a raw tag object into its signature and the bytes that were signed, as git does (gpg-interface.c,
 * parse_signed_buffer), but refuses every form that two readers could split differently.
 *
 *   object <id>
 *   type commit|tree|blob|tag
 *   tag <name>
 *   tagger <name> <mail> <time>   absent only in very old tags
 *   <empty line>
 *   message
 *   -----BEGIN ...                to the last byte; everything before it was signed
 *
 * git takes the last line that begins like an armour; here there is at most one such line. The signature of the other
 * hash, which git keeps in a `gpgsig` header, is refused as in commits.
 */
import type { ObjectFormat } from "../git/object.ts";
import type { ObjectType } from "../git/parse.ts";
import { type Refusal, refusal } from "./format.ts";
import { FORMATS } from "./formats.ts";
import type { SignatureFormat } from "./verification.ts";

export interface TagFields {
  readonly target: string;
  readonly type: ObjectType;
  readonly name: string;
}

export type TagPayload =
  | { readonly kind: "unsigned"; readonly payload: Uint8Array; readonly fields: TagFields }
  | {
      readonly kind: "signed";
      readonly format: SignatureFormat;
      readonly signature: Uint8Array;
      readonly payload: Uint8Array;
      readonly fields: TagFields;
    }
  | Refusal;

const MAXIMUM_SIGNATURE_BYTES = 64 * 1024;
const HEADER = /^object ([0-9a-f]{40}|[0-9a-f]{64})\ntype (commit|tree|blob|tag)\ntag ([^\n]+)\n(?:tagger [^\n]+\n)?\n/;
/** Of all kinds that git knows, also of those that are never a detached signature. */
const BEGIN = /(?<=\n)-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----/g;

export function splitTag(raw: Uint8Array, objectFormat: ObjectFormat): TagPayload {
  if (raw.includes(0)) return malformed("holds a NUL byte");
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("latin1");
  const header = HEADER.exec(text);
  const [whole = "", target = "", type = "", name = ""] = header ?? [];
  if (header === null) return headerProblem(text);
  if (target.length !== (objectFormat === "sha1" ? 40 : 64)) return malformed("names an object by a malformed id");
  const fields = { target, type: type as ObjectType, name: Buffer.from(name, "latin1").toString("utf8") };
  const begins = [...text.slice(whole.length - 1).matchAll(BEGIN)];
  const [begin, second] = begins;
  if (begin === undefined) return { kind: "unsigned", payload: raw, fields };
  if (second !== undefined) return refusal("ambiguous-signature", "The tag has more than one signature block.");
  return split(raw, whole.length - 1 + begin.index, text, fields);
}

function headerProblem(text: string): Refusal {
  const headers = text.slice(0, Math.max(0, text.indexOf("\n\n")) + 1);
  return /^gpgsig/m.test(headers)
    ? refusal("ambiguous-signature", "The tag has a signature header beside the signature that ends it.")
    : malformed("does not have exactly the headers that git writes");
}

function split(raw: Uint8Array, start: number, text: string, fields: TagFields): TagPayload {
  if (raw.byteLength - start > MAXIMUM_SIGNATURE_BYTES) {
    return refusal("malformed-signature", "The signature is larger than 64 KiB.");
  }
  const format = FORMATS.find((candidate) => text.startsWith(`${candidate.begin}\n`, start));
  if (format === undefined) {
    return refusal("malformed-signature", "The signature does not begin as an OpenPGP, SSH or X.509 signature does.");
  }
  const signature = raw.slice(start);
  return { kind: "signed", format: format.name, signature, payload: raw.slice(0, start), fields };
}

function malformed(clause: string): Refusal {
  return refusal("malformed-tag", `The tag object ${clause}.`);
}
