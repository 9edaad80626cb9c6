/**
 * Reads YAML as data that every reader agrees on. Whatever js-yaml (YAML 1.2) and the reader of Kubernetes (mostly
 * YAML 1.1) could resolve differently is refused with its position: see yaml-scalar.ts for plain scalars.
 * The parser gives a flat list of events; values are built from it here, without recursion.
 */
import { type Event, parseEvents, YAMLException } from "js-yaml";
import { positionAt } from "./text-position.ts";
import { parserReason, type YamlCode, YamlRefusal } from "./yaml-refusal.ts";
import { refuseHazards, refuseTabs } from "./yaml-text.ts";
import { buildDocuments, MAXIMUM_YAML_DEPTH, tooDeep, type YamlDocument } from "./yaml-value.ts";

export const MAXIMUM_YAML_BYTES = 8 * 1024 * 1024;

export type { YamlDocument };

/** Messages quote nothing of the text: keys, tags and anchors may be parts of a secret that lost its quotes. */
export interface YamlFailure {
  readonly code: YamlCode;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type YamlReading =
  | { readonly kind: "documents"; readonly documents: readonly YamlDocument[] }
  | { readonly kind: "refused"; readonly failure: YamlFailure };

/** Never throws for any text. A byte order mark at the very beginning is dropped. */
export function readYamlDocuments(text: string, file: string): YamlReading {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    if (Buffer.byteLength(text) > MAXIMUM_YAML_BYTES) {
      throw new YamlRefusal("yaml-too-large", 0, `The file is larger than ${MAXIMUM_YAML_BYTES / 1024 / 1024} MiB.`);
    }
    refuseHazards(source);
    const events = yamlEvents(source);
    refuseTabs(source, events);
    return { kind: "documents", documents: buildDocuments(source, events) };
  } catch (thrown) {
    if (!(thrown instanceof YamlRefusal)) throw thrown;
    const { code, message, offset } = thrown;
    return { kind: "refused", failure: { code, message, file, ...positionAt(source, offset) } };
  }
}

/** @throws YamlRefusal `yaml-malformed`, `yaml-too-deep` */
export function yamlEvents(source: string): Event[] {
  try {
    return parseEvents(source, { maxDepth: MAXIMUM_YAML_DEPTH });
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const offset = thrown.mark?.position ?? 0;
    // The parser has no other way to say which of its two refusals this is; a test holds the wording.
    if (thrown.reason.startsWith("nesting exceeded maxDepth")) throw tooDeep(offset);
    throw new YamlRefusal("yaml-malformed", offset, `This is not valid YAML: ${parserReason(thrown)}.`);
  }
}
