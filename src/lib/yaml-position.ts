/**
 * Where in a source file a finding's JSON pointer is. The events of the parser that read the file are walked, so that
 * reading and locating can never disagree; nothing of this runs unless there is something to report.
 */

import { EVENT_ID, type Event, getScalarValue, type ScalarEvent } from "js-yaml";
import { unescapeToken } from "./json-pointer.ts";
import { positionAt, type TextPosition } from "./text-position.ts";
import { yamlEvents } from "./yaml.ts";
import { YamlRefusal } from "./yaml-refusal.ts";
import { scalarOffset } from "./yaml-value.ts";

export interface Located extends TextPosition {
  /** False when the pointer names something absent and its nearest existing parent is shown. */
  readonly exact: boolean;
}

export type Locator = (document: number, pointer: string) => Located;

/** For one question; openLocator answers several about one text without parsing it again. */
export function locate(text: string, document: number, pointer: string): Located {
  return openLocator(text)(document, pointer);
}

/** YAML and JSON alike. Never throws: a text that cannot be parsed is located at its beginning, not exact. */
export function openLocator(text: string): Locator {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const source = text.slice(start);
  const events = eventsOf(source);
  return (document, pointer) => {
    const found = walk(source, events, document, tokensOf(pointer));
    return { ...positionAt(source, found.offset), exact: found.exact };
  };
}

interface Found {
  readonly offset: number;
  readonly exact: boolean;
}

function eventsOf(source: string): readonly Event[] {
  try {
    return yamlEvents(source);
  } catch (thrown) {
    if (thrown instanceof YamlRefusal) return [];
    throw thrown;
  }
}

/** RFC 6901. A pointer that does not begin with a slash names the whole document. */
function tokensOf(pointer: string): readonly string[] {
  if (!pointer.startsWith("/")) return [];
  return pointer.slice(1).split("/").map(unescapeToken);
}

/** Descends one token at a time; a member is placed at its key, an item of a list at its value. */
function walk(source: string, events: readonly Event[], document: number, tokens: readonly string[]): Found {
  let node = documentStart(events, document) + 1;
  let offset = offsetOf(events[node]) ?? 0;
  for (const token of tokens) {
    const next = child(source, events, node, token);
    if (next === null) return { offset, exact: false };
    node = next.node;
    offset = next.offset ?? offset;
  }
  return { offset, exact: node < events.length && node > 0 };
}

interface Child {
  /** Index of the value's event. */
  readonly node: number;
  readonly offset: number | null;
}

function child(source: string, events: readonly Event[], parent: number, token: string): Child | null {
  const type = events[parent]?.type;
  if (type === EVENT_ID.MAPPING) return memberOf(source, events, parent, token);
  return type === EVENT_ID.SEQUENCE ? itemOf(events, parent, token) : null;
}

function memberOf(source: string, events: readonly Event[], parent: number, token: string): Child | null {
  for (let key = parent + 1; !isEnd(events[key]); ) {
    const event = events[key];
    const value = after(events, key);
    if (event?.type === EVENT_ID.SCALAR && getScalarValue(source, event) === token) {
      return { node: value, offset: scalarOffset(event) };
    }
    key = after(events, value);
  }
  return null;
}

function itemOf(events: readonly Event[], parent: number, token: string): Child | null {
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(token)) return null;
  let left = Number(token);
  for (let item = parent + 1; !isEnd(events[item]); item = after(events, item)) {
    if (left-- === 0) return { node: item, offset: offsetOf(events[item]) };
  }
  return null;
}

/** Index of the event after the value that begins here. */
function after(events: readonly Event[], start: number): number {
  let open = 0;
  for (let i = start; i < events.length; i++) {
    const type = events[i]?.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open++;
    if (type === EVENT_ID.POP) open--;
    if (open === 0) return i + 1;
  }
  return events.length;
}

function isEnd(event: Event | undefined): boolean {
  return event === undefined || event.type === EVENT_ID.POP;
}

/** Index of the document's own event; beyond the last event when there is no such document. */
function documentStart(events: readonly Event[], document: number): number {
  let left = document;
  const found = events.findIndex((event) => event.type === EVENT_ID.DOCUMENT && left-- === 0);
  return found === -1 ? events.length : found;
}

function offsetOf(event: Event | undefined): number | null {
  switch (event?.type) {
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.SCALAR:
      return scalarOffset(event satisfies ScalarEvent);
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    default:
      return null;
  }
}
