/** Checks of the raw text, before and beside the parser: characters and layouts that YAML 1.1 and 1.2 split differently. */
import { CHOMPING_MODE, EVENT_ID, type Event, SCALAR_STYLE, type ScalarEvent } from "js-yaml";
import { type YamlCode, YamlRefusal } from "./yaml-refusal.ts";

const HAZARDS: readonly (readonly [RegExp, YamlCode, string])[] = [
  [/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/, "yaml-malformed", "A control character stands here."],
  [/\r(?!\n)/, "yaml-malformed", "A carriage return stands here without its line feed."],
  [
    /[\u2028\u2029]/,
    "yaml-ambiguous",
    "A Unicode line separator stands here, which only some readers take for a line's end.",
  ],
  [/[\ufeff\ufffe\uffff]/, "yaml-malformed", "A byte order mark or noncharacter stands in the middle of the file."],
  [/^%/m, "yaml-ambiguous", "A directive stands here; leave it out."],
  [/^\.\.\.(?!\S)(?=\s*\S)/m, "yaml-ambiguous", "More follows after `...`; use a line `---` alone."],
  [/^---[ \t]+[^#\s]/m, "yaml-ambiguous", "Content follows `---` on its line; write it on the next one."],
];

/** @throws YamlRefusal for the first hazard of the first kind that the text holds. */
export function refuseHazards(text: string): void {
  if (!text.isWellFormed()) throw new YamlRefusal("yaml-malformed", 0, "The text holds half of a surrogate pair.");
  for (const [pattern, code, message] of HAZARDS) {
    const found = pattern.exec(text);
    if (found !== null) throw new YamlRefusal(code, found.index, message);
  }
}

/** Tabs may stand inside lines and in the text of block scalars, but never where a reader measures indentation. */
export function refuseTabs(text: string, events: readonly Event[]): void {
  const blocks = events.filter(isBlockScalar);
  let next = 0;
  for (const found of text.matchAll(/^ *(?:[-?:] *){0,200}\t/gm)) {
    while (next < blocks.length && (blocks[next]?.valueEnd ?? 0) <= found.index) next++;
    const block = blocks[next];
    if (block !== undefined && isBlockText(text, block, found.index)) continue;
    throw new YamlRefusal("yaml-malformed", found.index + found[0].length - 1, "A tab stands in the indentation.");
  }
}

/** YAML 1.1 refuses a tab that begins the first line with content, because that line says how deep the block is. */
function isBlockText(text: string, block: ScalarEvent, lineStart: number): boolean {
  if (lineStart < block.valueStart || block.indent < 0) return false;
  const hasContentBefore = /\S/.test(text.slice(block.valueStart, lineStart));
  return hasContentBefore && /^ *$/.test(text.slice(lineStart, lineStart + block.indent));
}

/** Surrogates as escapes (JSON's way, refused by YAML 1.1), code points beyond Unicode, a line end escaped before an empty line. */
export function refuseEscapes(text: string, event: ScalarEvent): void {
  const raw = text.slice(event.valueStart, event.valueEnd);
  for (const found of raw.matchAll(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r?\n[ \t]*\r?\n)|.)/gs)) {
    const point = Number.parseInt(found[1] ?? found[2] ?? "0", 16);
    const isCharacter = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (isCharacter && found[3] === undefined) continue;
    throw new YamlRefusal("yaml-malformed", event.valueStart + found.index, "Readers do not agree on this escape.");
  }
}

/** Without its last line end, a block scalar at the end of a file has one to YAML 1.2 and none to Kubernetes. */
export function refuseOpenEnd(text: string, event: ScalarEvent): void {
  if (event.valueEnd < text.length || text.endsWith("\n") || event.chomping === CHOMPING_MODE.STRIP) return;
  throw new YamlRefusal("yaml-ambiguous", text.length, "The file ends in a block of text without a line end; add one.");
}

/** In a flow collection YAML 1.1 ends a plain scalar at `?`, begins none with `:`, and keeps the colon of `{a:}`. */
export function refuseFlowScalar(text: string, event: ScalarEvent): void {
  const raw = text.slice(event.valueStart, event.valueEnd);
  const following = text.slice(event.valueEnd, event.valueEnd + 2);
  if (!raw.startsWith(":") && !raw.includes("?") && !/^:[,[\]{}]/.test(following)) return;
  throw new YamlRefusal(
    "yaml-ambiguous",
    event.valueStart,
    "Readers split this text differently in a list or map on one line; write it in quotes.",
  );
}

/** YAML 1.1 wants a key on one line and within 1,024 characters. */
export function refuseLongKey(text: string, event: ScalarEvent): void {
  const length = event.valueEnd - event.valueStart;
  const isPlainly = length <= 1_000 && text[event.valueEnd] === ":" && event.fast;
  if (isPlainly) return;
  const raw = text.slice(event.valueStart, event.valueEnd);
  const following = text.slice(event.valueEnd, event.valueEnd + 1_000);
  if (length <= 1_000 && !raw.includes("\n") && !/^["']?[ \t\r]*\n\s*:/.test(following)) return;
  throw new YamlRefusal("yaml-key", event.valueStart, "This key is longer than one line or than 1,000 characters.");
}

export function isBlockScalar(event: Event): event is ScalarEvent {
  if (event.type !== EVENT_ID.SCALAR) return false;
  return event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
}

/** The parser takes `- "a"b: c` for a list and a second key; nothing but indicators may stand before a key in block style. */
export function refuseKeyInLine(text: string, offset: number): void {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  if (/^ *(?:[-?:] +)*$/.test(before)) return;
  throw new YamlRefusal("yaml-malformed", offset, "A key stands in the middle of a line.");
}
