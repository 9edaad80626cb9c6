/**
 * `opa.runtime` and `net.lookup_ip_addr` as far as they can be answered without looking outside. Policies may not call
 * them (see REFUSED); OPA's own cases do.
 */
import { parseAddress } from "./address.ts";
import { BuiltinError, type BuiltinFamily, object, setOf, textOf } from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  "opa.runtime": () => object({}),
  "net.lookup_ip_addr": (operands) => lookUp(textOf(operands, 0)),
};

/** An address is its own, and `localhost` is this machine (RFC 6761 section 6.3); other names are asked of nobody. */
function lookUp(name: string) {
  if (name === "localhost") return setOf(["127.0.0.1", "::1"]);
  if (parseAddress(name) === null) throw new BuiltinError("no name is looked up");
  return setOf([name]);
}
