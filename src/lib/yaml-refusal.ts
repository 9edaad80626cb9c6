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

/** Thrown inside the reader only; readYamlDocuments turns it into a value. Messages never quote a value: it may be a secret. */
export class YamlRefusal extends Error {
  readonly code: YamlCode;
  readonly offset: number;
  constructor(code: YamlCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
