/** Who acts, proven: where two operators are needed, a name that anybody can type tells nobody apart. */
import { resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { readSecretFile } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { openAccess } from "../server/access/authenticate.ts";
import { mayTouch } from "../server/access/principal.ts";
import type { Invocation } from "./command.ts";
import { required } from "./opening.ts";

/**
 * The person behind `--token-file`, by the tokens that gate.yaml names, as a running service would take it.
 * @throws SluiceError `usage`, `person-needed`, `not-authenticated`, `not-permitted`, and what reading a secret throws
 */
export function provenOperator(invocation: Invocation, { gate, folder }: GateConfiguration, target: string): string {
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
  if ((role === "operator" || role === "admin") && person !== null && mayTouch(said.principal, target)) return person;
  throw new SluiceError("not-permitted", `${person ?? "This token"} is ${role}, and may not do this to ${target}.`, {
    fix: "sluice token new --role operator --person NAME --config gate.yaml",
  });
}
