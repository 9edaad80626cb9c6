/**
 * A release never carries a plain Secret, whatever was decided, and nothing can waive it. SOPS ciphertext passes as
 * bytes (every value of `data` and `stringData` is `ENC[...]` and the object carries SOPS's own `sops` block); a
 * SealedSecret is another kind.
 */
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import type { Resource } from "../render/resource.ts";
import { isPlainSecret as holdsPlainValues } from "../render/secrets.ts";

const SECRET_KINDS: readonly string[] = ["Secret", "SecretList"];
const CIPHERTEXT = /^ENC\[[A-Z0-9_]+,data:[^,\]]*,iv:[^,\]]+,tag:[^,\]]+(?:,type:[a-z]+)?\]$/;

export function isPlainSecret({ id, object }: Pick<Resource, "id" | "object">): boolean {
  if (id.group !== "" || !SECRET_KINDS.includes(id.kind)) return false;
  if (holdsPlainValues(object)) return true; // kubectl's copy of the last applied object counts, too
  if (id.kind === "SecretList" || !isObject(object["sops"]) || typeof object["sops"]["mac"] !== "string") return true;
  return !(isEncrypted(object["data"]) && isEncrypted(object["stringData"]));
}

function isEncrypted(values: JsonValue | undefined): boolean {
  if (values === undefined) return true;
  return (
    isObject(values) && Object.values(values).every((value) => typeof value === "string" && CIPHERTEXT.test(value))
  );
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
