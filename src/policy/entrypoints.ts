/** Names of what is generated beside the policies; kept apart from the generator, which the worker never needs. */
export const AGGREGATE_PACKAGE = "sluice.aggregate";
/** The compiler's functions that stand for built-ins which fail silently (toolchain/cmd/rego/strict.go). */
export const STRICT_PACKAGE = "sluice.strict";
/** A name that no file of a tree can have beside it: paths in policy folders do not start with a dot folder of ours. */
export const AGGREGATE_FILE = ".sluice/aggregate.rego";
export const RESULT_ENTRYPOINT = "sluice/aggregate/result";

/** What people name: `shop/deny` is `data.shop.deny`. */
export const ENTRYPOINT = /^[A-Za-z_][A-Za-z0-9_]*(?:\/[A-Za-z_][A-Za-z0-9_]*){0,20}$/;

export function ruleEntrypoint(index: number): string {
  return `sluice/aggregate/rule_${index}`;
}
