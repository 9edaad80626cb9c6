/** `crypto.md5`, `crypto.sha*` and `crypto.hmac.*` of texts, in hex. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type Builtin, type BuiltinFamily, textOf } from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  "crypto.md5": hash("md5"),
  "crypto.sha1": hash("sha1"),
  "crypto.sha256": hash("sha256"),
  "crypto.hmac.md5": hmac("md5"),
  "crypto.hmac.sha1": hmac("sha1"),
  "crypto.hmac.sha256": hmac("sha256"),
  "crypto.hmac.sha512": hmac("sha512"),
  "crypto.hmac.equal": (operands) => {
    const [a, b] = [Buffer.from(textOf(operands, 0)), Buffer.from(textOf(operands, 1))];
    return a.length === b.length && timingSafeEqual(a, b);
  },
};

function hash(algorithm: string): Builtin {
  return (operands) => createHash(algorithm).update(textOf(operands, 0)).digest("hex");
}

function hmac(algorithm: string): Builtin {
  return (operands) => createHmac(algorithm, textOf(operands, 1)).update(textOf(operands, 0)).digest("hex");
}
