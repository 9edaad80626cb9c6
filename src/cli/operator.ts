/** Who acts, proven: where one person may not be another, a name that anybody can type tells nobody apart. */
import { resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { readSecretFile } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { openAccess } from "../server/access/authenticate.ts";
import { type CallerRole, mayTouch, OPERATORS, REVIEWERS } from "../server/access/principal.ts";
import type { Invocation } from "./command.ts";
import { required } from "./opening.ts";

/**
 * The person behind `--token-file`, by the tokens that gate.yaml names, as a running service would take it.
 * @throws SluiceError `usage`, `person-needed`, `not-authenticated`, `not-permitted`, and what reading a secret throws
 */
export function provenOperator(invocation: Invocation, configuration: GateConfiguration, target: string): string {
  return provenPerson(invocation, configuration, target, OPERATORS);
}

/** Whoever may say afterwards what an operator did alone. @throws as provenOperator() */
export function provenReviewer(
  invocation: Invocation,
  configuration: GateConfiguration,
  target: string | null,
): string {
  return provenPerson(invocation, configuration, target, REVIEWERS);
}

function provenPerson(
  invocation: Invocation,
  { gate, folder }: GateConfiguration,
  target: string | null,
  roles: readonly CallerRole[],
): string {
  const file = required(invocation, "token-file", "FILE");
  if (gate.access?.tokens === undefined) {
    throw new SluiceError("person-needed", "gate.yaml names no file of tokens, so nobody can be told from another.", {
      fix: "add to gate.yaml: access: {tokens: {file: tokens.yaml}}   then: sluice token new --role operator --person NAME --config gate.yaml",
    });
  }
  const token = readSecretFile(resolve(invocation.folder, file));
  const access = openAccess(gate.access, folder, invocation.clock);
  const said = access.authenticate({ authorization: `Bearer ${token}`, subject: null });
  if (said.kind === "refused") throw new SluiceError("not-authenticated", said.message);
  const { role, person } = said.principal;
  const isWithin = target === null ? said.principal.targets === null : mayTouch(said.principal, target);
  if (roles.includes(role) && person !== null && isWithin) return person;
  const what = target ?? "the whole gate";
  throw new SluiceError("not-permitted", `${person ?? "This token"} is ${role}, and may not do this to ${what}.`, {
    fix: "sluice token new --role operator --person NAME --config gate.yaml",
  });
}
