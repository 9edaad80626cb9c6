/** `providers.aws.sign_req`: a request with the headers of AWS Signature Version 4; nothing is sent. */
import { createHash, createHmac } from "node:crypto";
import type { RegoObject, RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, integerOf, isObjectValue, member, object, objectOf } from "./call.ts";
import { goJsonText } from "./json-text.ts";
import { parseUrl } from "./url-text.ts";

export const BUILTINS: BuiltinFamily = {
  "providers.aws.sign_req": (operands) => sign(objectOf(operands, 0), objectOf(operands, 1), integerOf(operands, 2)),
};

const REQUEST_KEYS: ReadonlySet<RegoValue> = new Set([
  ...["method", "url", "body", "enable_redirect", "force_json_decode", "force_yaml_decode", "headers", "raw_body"],
  ...["tls_use_system_certs", "tls_ca_cert", "tls_ca_cert_file", "tls_ca_cert_env_variable", "tls_client_cert"],
  ...["tls_client_cert_file", "tls_client_cert_env_variable", "tls_client_key", "tls_client_key_file"],
  ...["tls_client_key_env_variable", "tls_insecure_skip_verify", "tls_server_name", "timeout", "cache"],
  ...["force_cache", "force_cache_duration_seconds", "raise_error", "caching_mode", "max_retry_attempts"],
  "cache_ignored_headers",
]);
const CONFIG_KEYS = ["aws_service", "aws_access_key", "aws_secret_access_key", "aws_region"];
/** Headers that something on the way may change. */
const UNSIGNED: ReadonlySet<string> = new Set(["authorization", "user-agent", "x-amzn-trace-id"]);
const INT64 = 2n ** 63n;

function sign(request: RegoObject, config: RegoObject, timeNs: bigint): RegoValue {
  requireParameters(request, config);
  if (timeNs >= INT64 || timeNs < -INT64)
    throw new BuiltinError("could not convert time_ns value into a unix timestamp");
  const unsigned = member(config, "disable_payload_signing") ?? false;
  if (typeof unsigned !== "boolean")
    throw new BuiltinError("invalid value for 'disable_payload_signing' in AWS config");
  const given = headersOf(request);
  const bodyHash = unsigned ? "UNSIGNED-PAYLOAD" : sha256(bodyOf(request));
  const stamp = new Date(Number(timeNs / 1_000_000n)).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const { host, path, query } = urlParts(textIn(request, "url"));
  const service = textIn(config, "aws_service");
  const token = textIn(config, "aws_session_token");
  const own: Record<string, string> = { host, "x-amz-date": stamp };
  if (service === "s3" || service === "glacier") own["x-amz-content-sha256"] = bodyHash;
  if (token !== "") own["x-amz-security-token"] = token;
  const signed = new Map(Object.entries(own));
  for (const [name, value] of given) if (!UNSIGNED.has(name.toLowerCase())) signed.set(name.toLowerCase(), value);
  const names = [...signed.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const canonical = [
    ...[textIn(request, "method"), path, query, ...names.map((name) => `${name}:${signed.get(name)}`)],
    ...["", names.join(";"), bodyHash],
  ].join("\n");
  const day = stamp.slice(0, 8);
  const scope = [day, textIn(config, "aws_region"), service, "aws4_request"];
  const secret = Buffer.from(`AWS4${textIn(config, "aws_secret_access_key")}`);
  const key = scope.reduce<Buffer>((mac, part) => hmac(mac, part), secret);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonical)].join("\n")).toString(
    "hex",
  );
  const credential = `${textIn(config, "aws_access_key")}/${scope.join("/")}`;
  const Authorization = `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names.join(";")},Signature=${signature}`;
  const headers = object({ ...Object.fromEntries(given), Authorization, ...own });
  return { type: "object", entries: [...request.entries.filter(([name]) => name !== "headers"), ["headers", headers]] };
}

function requireParameters(request: RegoObject, config: RegoObject): void {
  const lacks = CONFIG_KEYS.filter((key) => member(config, key) === undefined);
  if (lacks.length > 0) throw new BuiltinError(`missing required AWS config parameters(s): ${lacks.join(", ")}`);
  const wrong = CONFIG_KEYS.filter((key) => typeof member(config, key) !== "string");
  if (wrong.length > 0)
    throw new BuiltinError(`invalid values for required AWS config parameters(s): ${wrong.join(", ")}`);
  if (!request.entries.every(([key]) => REQUEST_KEYS.has(key))) throw new BuiltinError("invalid request parameters(s)");
  for (const key of ["method", "url"])
    if (typeof member(request, key) !== "string")
      throw new BuiltinError(`missing or invalid values for required request parameters(s): ${key}`);
}

function textIn(from: RegoObject, key: string): string {
  const value = member(from, key);
  return typeof value === "string" ? value : "";
}

/** A header that is no text counts as an empty one. */
function headersOf(request: RegoObject): readonly (readonly [string, string])[] {
  const headers = member(request, "headers");
  if (headers === undefined) return [];
  if (!isObjectValue(headers)) throw new BuiltinError("headers must be an object");
  return headers.entries.map(([name, value]) => [asText(name), asText(value)]);
}

function asText(value: RegoValue): string {
  return typeof value === "string" ? value : "";
}

function bodyOf(request: RegoObject): string {
  const [raw, body] = [member(request, "raw_body"), member(request, "body")];
  if (raw !== undefined) return asText(raw);
  return body === undefined ? "" : goJsonText(body);
}

function urlParts(text: string): { host: string; path: string; query: string } {
  const parsed = parseUrl(text);
  const at = (key: string) => (isObjectValue(parsed) ? textIn(parsed, key) : "");
  const authority = /^[^/?#]*\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  return { host: authority.slice(authority.lastIndexOf("@") + 1), path: at("raw_path"), query: at("raw_query") };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
