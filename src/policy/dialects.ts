/** All dialects, in the order in which they take their own; what nobody takes is native. */
import type { Dialect, DialectName } from "./dialect.ts";
import { conftest } from "./dialects/conftest.ts";
import { gatekeeper } from "./dialects/gatekeeper.ts";
import { native } from "./dialects/native.ts";
import { opaAdmission } from "./dialects/opa-admission.ts";
import type { Rule } from "./policy-set.ts";

export const DIALECTS: readonly Dialect[] = [gatekeeper, opaAdmission, conftest, native];

const BY_NAME: ReadonlyMap<DialectName, Dialect> = new Map(DIALECTS.map((dialect) => [dialect.name, dialect]));

export function dialectName({ imported }: Rule): DialectName {
  return imported?.dialect ?? native.name;
}

export function dialectOf(rule: Rule): Dialect {
  return BY_NAME.get(dialectName(rule)) ?? native;
}
