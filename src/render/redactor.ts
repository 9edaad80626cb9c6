/**
 * Masks secret values in texts. Aho and Corasick's automaton ("Efficient string matching", 1975) over the first units
 * of every value finds where one begins, in one pass; from there the mask covers as much as any value goes on.
 */
import { encodeBase64, utf8 } from "../lib/bytes.ts";
import { MASK, type SecretValues } from "./secrets.ts";

/** Units of a value that the automaton knows: bounds its size, and a text with this much of a value is masked too. */
const PREFIX_UNITS = 32;
/** Units compared beyond the automaton, for each unit of a text. */
const WORK_PER_UNIT = 64;

export interface Redactor {
  /** The text with every value, also in base64 or escaped as JSON, replaced by the mask. */
  mask(text: string): string;
}

interface Automaton {
  /** Next state by state and unit. */
  readonly next: Map<number, number>;
  /** Longest proper suffix that is a state too. */
  readonly fallback: number[];
  /** Values whose prefix ends in this state, sorted. */
  readonly ends: (string[] | undefined)[];
  readonly depth: number[];
}

export function openRedactor(values: SecretValues): Redactor {
  const automaton = build(values);
  return { mask: (text) => (automaton.depth.length === 1 ? text : maskText(automaton, text)) };
}

function build(values: SecretValues): Automaton {
  const automaton: Automaton = { next: new Map(), fallback: [0], ends: [undefined], depth: [0] };
  const written = new Set([...values].filter((value) => value !== "").flatMap(writtenForms));
  for (const form of [...written].sort()) insert(automaton, form);
  link(automaton);
  return automaton;
}

/** A value as it may stand in a text. Base64 without its padding matches both ways of writing it. */
function writtenForms(value: string): string[] {
  const base64 = encodeBase64(utf8(value)).replace(/=+$/, "");
  return [value, JSON.stringify(value).slice(1, -1), base64, base64.replaceAll("+", "-").replaceAll("/", "_")];
}

function insert(automaton: Automaton, form: string): void {
  let state = 0;
  for (let i = 0; i < Math.min(form.length, PREFIX_UNITS); i++) {
    const edge = edgeOf(state, form.charCodeAt(i));
    const known = automaton.next.get(edge);
    state = known ?? automaton.depth.push(i + 1) - 1;
    if (known === undefined) automaton.next.set(edge, state);
  }
  const ends = automaton.ends[state] ?? [];
  ends.push(form);
  automaton.ends[state] = ends;
}

/** Edges were made parent before child, level by level only within one value: visit them by depth. */
function link(automaton: Automaton): void {
  const edges = [...automaton.next.entries()].sort(([, a], [, b]) => depthOf(automaton, a) - depthOf(automaton, b));
  for (const [edge, state] of edges) {
    const unit = edge % UNITS;
    const parent = (edge - unit) / UNITS;
    automaton.fallback[state] = parent === 0 ? 0 : step(automaton, automaton.fallback[parent] ?? 0, unit);
  }
}

function maskText(automaton: Automaton, text: string): string {
  const reach = new Uint32Array(text.length);
  let work = 0;
  let state = 0;
  for (let i = 0; i < text.length; i++) {
    state = step(automaton, state, text.charCodeAt(i));
    for (let end = state; end !== 0; end = automaton.fallback[end] ?? 0) {
      const values = automaton.ends[end];
      if (values === undefined) continue;
      const start = i + 1 - depthOf(automaton, end);
      const length = longestPrefix(values, text, start);
      reach[start] = Math.max(reach[start] ?? 0, start + length);
      work += length;
    }
    // A text made of one value's beginnings could cost its length squared: then what is left is masked whole.
    if (work > WORK_PER_UNIT * (text.length + PREFIX_UNITS)) return `${cover(text.slice(0, i), reach)}${MASK}`;
  }
  return cover(text, reach);
}

/** Overlapping and touching places become one mask. */
function cover(text: string, reach: Uint32Array): string {
  let masked = "";
  let copied = 0;
  let coveredTo = -1;
  for (let i = 0; i < text.length; i++) {
    const stop = reach[i] ?? 0;
    if (stop === 0) continue;
    if (i > coveredTo) masked += text.slice(copied, i) + MASK;
    coveredTo = Math.max(coveredTo, stop);
    copied = coveredTo;
  }
  return masked + text.slice(copied);
}

/** Units from `start` on that the text shares with the best of the sorted values: a neighbour of where it would stand. */
function longestPrefix(values: readonly string[], text: string, start: number): number {
  const rest = text.slice(start);
  let low = 0;
  for (let high = values.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? "") < rest) low = middle + 1;
    else high = middle;
  }
  return Math.max(shared(values[low - 1] ?? "", rest), shared(values[low] ?? "", rest));
}

function shared(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

function step(automaton: Automaton, from: number, unit: number): number {
  for (let state = from; ; state = automaton.fallback[state] ?? 0) {
    const next = automaton.next.get(edgeOf(state, unit));
    if (next !== undefined) return next;
    if (state === 0) return 0;
  }
}

/** UTF-16 has this many units. */
const UNITS = 65_536;

function edgeOf(state: number, unit: number): number {
  return state * UNITS + unit;
}

function depthOf(automaton: Automaton, state: number): number {
  return automaton.depth[state] ?? 0;
}
