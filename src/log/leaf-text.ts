/**
 * Leaves as their writer lays them out, recognised without being parsed: parsing one and writing it again, to see whether it
 * is in canonical form, would be a third of the price of verifying a log. What is recognised here is a leaf by readLeaf()
 * too, with the same fields; of what is not, nothing is said.
 */
import { ENTRY_KINDS, type EntryKind, type Leaf } from "./entry.ts";

/** What a verification looks at. */
export type LeafFields = Pick<Leaf, "kind" | "time" | "target" | "verdict" | "previous" | "commitments">;

/** No quote and no backslash: JSON writes such a text as it is. */
const PLAIN = "[ !#-\\[\\]-~]";
const SHA256_BASE64 = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=";
const HEX_OR_NULL = '(?:null|"[0-9a-f]{64}")';
const NAME = "[A-Za-z][A-Za-z0-9-]{0,63}";
const OBJECT_ID_OR_NULL = '(?:null|"[0-9a-f]{40}(?:[0-9a-f]{24})?")';
const membersOf = (value: string) => `\\{((?:"${NAME}":${value}(?:,(?=")|(?=\\})))*)\\}`;

const LEAF = new RegExp(
  [
    `^\\{"commitments":${membersOf(`"${SHA256_BASE64}"`)}`,
    `"digests":\\{"code":(?:null|"[!#-\\[\\]-~]{1,128}"),"configuration":${HEX_OR_NULL},"policies":${HEX_OR_NULL},"trust":${HEX_OR_NULL},"waivers":${HEX_OR_NULL}\\}`,
    '"id":"[0-7][0-9A-HJKMNP-TV-Z]{25}"',
    '"kind":"([a-z-]+)"',
    `"previous":(?:null|"(${SHA256_BASE64})")`,
    '"purpose":"(?:gate|dry-run|observe)"',
    '"reasons":\\[(?:"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")?\\]',
    `"subject":${membersOf(OBJECT_ID_OR_NULL)}`,
    `"target":(?:null|"(${PLAIN}{1,200})")`,
    '"time":"(\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z)"',
    '"v":1',
    '"verdict":(?:null|"(allow|deny|wait|error)")\\}$',
  ].join(","),
);
const KINDS: ReadonlySet<string> = new Set(ENTRY_KINDS);
const COMMITMENT_CHARACTERS = 44;

/** null for any leaf that is not plain: its text is then read more closely. */
export function recogniseLeaf(bytes: Uint8Array): LeafFields | null {
  // a byte above 127 becomes a character that is in none of the classes above
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const found = LEAF.exec(text);
  if (found === null) return null;
  const [, members = "", kind = "", previous = null, subject = "", target = null, time = "", verdict = null] = found;
  const commitments = commitmentsOf(members);
  if (commitments === null || !KINDS.has(kind) || !isAscending(subject)) return null;
  return { kind: kind as EntryKind, time, target, verdict: verdict as Leaf["verdict"], previous, commitments };
}

/** `"name":"<44>","name":"<44>"`; null unless the names ascend. */
function commitmentsOf(members: string): Readonly<Record<string, string>> | null {
  const commitments: Record<string, string> = {};
  let before = "";
  for (let at = 1; at < members.length; ) {
    const end = members.indexOf('"', at);
    const name = members.slice(at, end);
    if (name <= before) return null;
    before = name;
    const value = end + 3;
    commitments[name] = members.slice(value, value + COMMITMENT_CHARACTERS);
    at = value + COMMITMENT_CHARACTERS + 3;
  }
  return commitments;
}

/** Of members whose values hold neither commas nor colons. */
function isAscending(members: string): boolean {
  let before = "";
  for (let at = 0; at < members.length; ) {
    const name = members.slice(at + 1, members.indexOf('"', at + 1));
    if (name <= before) return false;
    before = name;
    const comma = members.indexOf(",", at);
    if (comma < 0) break;
    at = comma + 1;
  }
  return true;
}
