import type { YAMLException } from "js-yaml";

/** Why a YAML text is refused. */
export type YamlCode =
  | "yaml-malformed"
  | "yaml-ambiguous"
  | "yaml-duplicate-key"
  | "yaml-key"
  | "yaml-tag"
  | "yaml-alias-bomb"
  | "yaml-too-deep"
  | "yaml-too-large";

/** Thrown inside the reader only; readYamlDocuments turns it into a value. Messages quote nothing of the text: it may be a secret. */
export class YamlRefusal extends Error {
  readonly code: YamlCode;
  readonly offset: number;
  constructor(code: YamlCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** Why the parser refused a text, up to where its sentence would quote it: `undeclared tag handle "!x!"`, `...: x`, `... !<x>`. */
export function parserReason({ reason }: YAMLException): string {
  return (/^[^"\n]*?(?=:? *"|: | !<|\n|$)/.exec(reason)?.[0] ?? "").slice(0, 200);
}
