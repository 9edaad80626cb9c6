/**
 * A signed statement: one line of canonical JSON as the text of a C2SP signed note. Read strictly: what is signed must
 * be byte for byte the canonical form of what was understood, so that no second reading of the same bytes exists.
 */
import type * as z from "zod";
import { utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { MAXIMUM_NOTE_BYTES, type NoteSigner, type NoteVerifier, openNote } from "../log/note.ts";

/** The codes that one kind of statement is refused with. */
export interface StatementCodes {
  readonly malformed: Code;
  /** No trusted key signed it, or a trusted key's signature is wrong. */
  readonly untrusted: Code;
  readonly tooLarge: Code;
}

/** @throws SluiceError `codes.tooLarge` for more than a signed note may hold (1,000,000 bytes) */
export function signStatement(statement: JsonObject, signer: NoteSigner, codes: StatementCodes): Uint8Array {
  const note = utf8(signer.sign(`${canonicalJson(statement)}\n`));
  if (note.byteLength <= MAXIMUM_NOTE_BYTES) return note;
  throw new SluiceError(
    codes.tooLarge,
    "The statement is larger than 1,000,000 bytes, which a signed note may not be.",
  );
}

/** @throws SluiceError one of `codes` */
export function openStatement<T>(
  note: Uint8Array,
  keys: readonly NoteVerifier[],
  schema: z.ZodType<T>,
  what: string,
  codes: StatementCodes,
): { readonly statement: T; readonly by: readonly NoteVerifier[] } {
  const opening = openNote(note, keys);
  if (opening.kind === "rejected") {
    const code = opening.code === "note-malformed" ? codes.malformed : codes.untrusted;
    throw new SluiceError(code, `${what} is not accepted: ${opening.detail}.`);
  }
  const parsed = schema.safeParse(parseLine(opening.text));
  if (parsed.success && `${canonicalJson(parsed.data as JsonObject)}\n` === opening.text) {
    return { statement: parsed.data, by: opening.by };
  }
  throw new SluiceError(codes.malformed, `${what} is not a statement in canonical form.`);
}

/** undefined for text that is not one line of JSON: no schema accepts it. */
function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
