/** Builds JSON values from the parser's events, without recursion, and refuses what two readers could read differently. */
import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from "js-yaml";
import type { JsonValue } from "./canonical.ts";
import { HOSTILE_KEYS } from "./json.ts";
import { LineCounter } from "./text-position.ts";
import { type YamlCode, YamlRefusal } from "./yaml-refusal.ts";
import { resolvePlain } from "./yaml-scalar.ts";
import {
  isBlockScalar,
  refuseEscapes,
  refuseFlowScalar,
  refuseKeyInLine,
  refuseLongKey,
  refuseOpenEnd,
} from "./yaml-text.ts";

export const MAXIMUM_YAML_DEPTH = 100;
/** A password in a Secret may look like an alias or a tag: what stands there is never repeated. */
const QUOTE_TEXT = "write a text in quotes when it begins with";
/** What all aliases of a file may add, in characters plus one per value. */
const MAXIMUM_ALIAS_EXPANSION = 1024 * 1024;

export interface YamlDocument {
  /** Counts every document of the file from 0; empty ones are counted but left out. */
  readonly index: number;
  /** Line of the document's first value, from 1. */
  readonly line: number;
  readonly value: JsonValue;
}

type CollectionEvent = MappingEvent | SequenceEvent;

interface Anchored {
  /** undefined while the anchored list or map is still open. */
  value: JsonValue | undefined;
  /** Levels of lists and maps in it. */
  height: number;
  /** Its size in characters plus one per value, aliases expanded. */
  size: number;
}

interface Frame extends Anchored {
  readonly map: Record<string, JsonValue> | null;
  readonly list: JsonValue[] | null;
  readonly isFlow: boolean;
  /** The key that waits for its value. */
  key: string | null;
}

class Builder {
  readonly #text: string;
  readonly #documents: YamlDocument[] = [];
  readonly #frames: Frame[] = [];
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Anchored>();
  #index = -1;
  #start: number | null = null;
  #root: JsonValue = null;
  /** Near what a refusal without a place of its own is reported. */
  #last = 0;
  #expansion = 0;

  constructor(text: string) {
    this.#text = text;
    this.#lines = new LineCounter(text);
  }

  build(events: readonly Event[]): YamlDocument[] {
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          this.#open(event.explicitStart);
          break;
        case EVENT_ID.SEQUENCE:
        case EVENT_ID.MAPPING:
          this.#push(event);
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.ALIAS:
          this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd), event.anchorStart - 1);
          break;
        case EVENT_ID.POP:
          this.#pop();
          break;
      }
    }
    return this.#documents;
  }

  #open(explicitStart: boolean): void {
    this.#index++;
    this.#start = null;
    this.#anchors.clear();
    if (this.#index > 0 && !explicitStart) {
      throw this.#refusal("yaml-ambiguous", this.#last, "Another document follows without a line `---` before it.");
    }
  }

  #push(event: CollectionEvent): void {
    this.#last = event.start;
    this.#properties(event);
    if (this.#awaitsKey()) throw this.#refusal("yaml-key", event.start, "A list or a map stands where a key must be.");
    const isMap = event.type === EVENT_ID.MAPPING;
    const isFlow = event.style === COLLECTION_STYLE.FLOW;
    const frame: Frame = {
      map: isMap ? {} : null,
      list: isMap ? null : [],
      isFlow,
      key: null,
      value: undefined,
      height: 1,
      size: 1,
    };
    if (event.anchorStart !== -1) this.#anchors.set(this.#anchor(event), frame);
    this.#start ??= event.start;
    this.#frames.push(frame);
  }

  #pop(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) {
      if (this.#start !== null) {
        this.#documents.push({ index: this.#index, line: this.#lines.at(this.#start), value: this.#root });
      }
      return;
    }
    frame.value = frame.map ?? frame.list ?? null;
    this.#add(frame.value, frame);
  }

  #scalar(event: ScalarEvent): void {
    const offset = scalarOffset(event) ?? this.#last;
    this.#last = offset;
    this.#properties(event);
    if (this.#awaitsKey()) this.#key(event, offset);
    else if (!this.#isEmptyDocument(event)) this.#leaf(event, offset);
  }

  #isEmptyDocument(event: ScalarEvent): boolean {
    return this.#frames.length === 0 && event.valueStart === -1 && event.anchorStart === -1;
  }

  #leaf(event: ScalarEvent, offset: number): void {
    const value = this.#value(event, offset);
    const anchored = { value, height: 0, size: 1 + (typeof value === "string" ? value.length : 0) };
    if (event.anchorStart !== -1) this.#anchors.set(this.#anchor(event), anchored);
    this.#start ??= offset;
    this.#add(value, anchored);
  }

  #value(event: ScalarEvent, offset: number): JsonValue {
    const text = getScalarValue(this.#text, event);
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) refuseEscapes(this.#text, event);
    if (isBlockScalar(event)) this.#block(event, offset);
    if (event.style !== SCALAR_STYLE.PLAIN) return text;
    if (this.#frames.at(-1)?.isFlow) refuseFlowScalar(this.#text, event);
    const plain = resolvePlain(text);
    if (plain.kind === "value") return plain.value;
    throw this.#refusal(
      "yaml-ambiguous",
      offset,
      `This is ${plain.why}, and readers differ; write it in quotes, or plainly.`,
    );
  }

  #block(event: ScalarEvent, offset: number): void {
    if (this.#frames.length === 0) {
      throw this.#refusal("yaml-ambiguous", offset, "A block of text is a whole document; readers cut it differently.");
    }
    refuseOpenEnd(this.#text, event);
  }

  #key(event: ScalarEvent, offset: number): void {
    if (event.anchorStart !== -1) throw this.#refusal("yaml-key", offset, "An anchor stands on a key.");
    refuseLongKey(this.#text, event);
    if (this.#frames.at(-1)?.isFlow === false) refuseKeyInLine(this.#text, offset);
    const key = this.#value(event, offset);
    const frame = this.#frames.at(-1);
    if (frame?.map == null) return;
    if (typeof key !== "string") throw this.#refusal("yaml-key", offset, "This key is not a text; write it in quotes.");
    if (HOSTILE_KEYS.has(key) || key === "<<") {
      throw this.#refusal("yaml-key", offset, `The key ${key} is not allowed.`);
    }
    if (Object.hasOwn(frame.map, key)) {
      throw this.#refusal("yaml-duplicate-key", offset, "This key stands twice in one map.");
    }
    frame.key = key;
    frame.size += key.length;
  }

  #alias(name: string, offset: number): void {
    this.#last = offset;
    this.#checkAnchorName(name, offset);
    if (this.#awaitsKey()) throw this.#refusal("yaml-key", offset, "An alias stands where a key must be.");
    const anchored = this.#anchors.get(name);
    if (anchored === undefined)
      throw this.#refusal("yaml-malformed", offset, `No anchor stands before this alias; ${QUOTE_TEXT} \`*\`.`);
    if (anchored.value === undefined)
      throw this.#refusal("yaml-alias-bomb", offset, "The anchor of this alias contains itself.");
    if (this.#frames.length + anchored.height > MAXIMUM_YAML_DEPTH) throw tooDeep(offset);
    this.#expansion += anchored.size;
    if (this.#expansion > MAXIMUM_ALIAS_EXPANSION) {
      throw this.#refusal(
        "yaml-alias-bomb",
        offset,
        `Aliases add more than ${MAXIMUM_ALIAS_EXPANSION} characters to this file.`,
      );
    }
    this.#start ??= offset;
    this.#add(anchored.value, anchored);
  }

  #add(value: JsonValue, { height, size }: Anchored): void {
    const parent = this.#frames.at(-1);
    if (parent === undefined) {
      this.#root = value;
      return;
    }
    parent.height = Math.max(parent.height, height + 1);
    parent.size += size;
    if (parent.list !== null) parent.list.push(value);
    else if (parent.map !== null && parent.key !== null) {
      parent.map[parent.key] = value;
      parent.key = null;
    }
  }

  #awaitsKey(): boolean {
    const frame = this.#frames.at(-1);
    return frame !== undefined && frame.map !== null && frame.key === null;
  }

  #properties(event: CollectionEvent | ScalarEvent): void {
    if (event.tagStart !== -1) {
      const message = `A tag stands here, which is not allowed; leave it out, and ${QUOTE_TEXT} \`!\`.`;
      throw this.#refusal("yaml-tag", event.tagStart, message);
    }
    if (event.anchorStart !== -1) this.#checkAnchorName(this.#anchor(event), event.anchorStart - 1);
  }

  #anchor(event: CollectionEvent | ScalarEvent): string {
    return this.#text.slice(event.anchorStart, event.anchorEnd);
  }

  /** YAML 1.1 ends an anchor's name at any other character. */
  #checkAnchorName(name: string, offset: number): void {
    if (!/^[0-9A-Za-z_-]+$/.test(name)) {
      throw this.#refusal("yaml-ambiguous", offset, "An anchor's name may hold letters, digits, `-` and `_` only.");
    }
  }

  #refusal(code: YamlCode, offset: number, message: string): YamlRefusal {
    return new YamlRefusal(code, offset, message);
  }
}

/** @throws YamlRefusal for the first thing that has no single meaning. */
export function buildDocuments(text: string, events: readonly Event[]): readonly YamlDocument[] {
  return new Builder(text).build(events);
}

/** Where a scalar begins, its quote included; null for an empty one, which has no place. */
export function scalarOffset(event: ScalarEvent): number | null {
  if (event.valueStart === -1) return null;
  const quoted = event.style === SCALAR_STYLE.DOUBLE_QUOTED || event.style === SCALAR_STYLE.SINGLE_QUOTED;
  return quoted ? event.valueStart - 1 : event.valueStart;
}

export function tooDeep(offset: number): YamlRefusal {
  return new YamlRefusal("yaml-too-deep", offset, `Lists and maps nest deeper than ${MAXIMUM_YAML_DEPTH} levels.`);
}
