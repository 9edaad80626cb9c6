/**
 * The built-in functions that a policy module calls on its host, with Go's semantics: a closed set. What is not here is
 * refused when policies are built (`builtin-not-supported`); a call that fails is an error of the rule. Each family is
 * loaded only when a module imports one of it.
 */
import { ASKING_BUILTIN, type Builtin, type BuiltinFamily } from "./builtins/call.ts";

interface Family {
  readonly names: readonly string[];
  readonly load: () => Promise<{ readonly BUILTINS: BuiltinFamily }>;
}

const JWT_ALGORITHMS = ["es256", "es384", "es512", "hs256", "hs384", "hs512", "ps256", "ps384", "ps512"] as const;

const FAMILIES: readonly Family[] = [
  {
    names: [
      ...["sprintf", "indexof_n", "strings.any_prefix_match", "strings.any_suffix_match", "strings.count"],
      "strings.split_n",
    ],
    load: () => import("./builtins/strings.ts"),
  },
  {
    names: ["numbers.range_step", "semver.compare", "semver.is_valid", "units.parse", "units.parse_bytes"],
    load: () => import("./builtins/numbers.ts"),
  },
  {
    names: [
      ...["graphql.is_valid", "graphql.parse", "graphql.parse_and_verify", "graphql.parse_query"],
      ...["graphql.parse_schema", "graphql.schema_is_valid"],
    ],
    load: () => import("./builtins/graphql.ts"),
  },
  {
    names: ["base64url.encode_no_pad", "hex.decode", "hex.encode", "json.marshal_with_options"],
    load: () => import("./builtins/encoding.ts"),
  },
  {
    names: [
      ...["uri.is_valid", "uri.parse", "urlquery.decode", "urlquery.decode_object", "urlquery.encode"],
      "urlquery.encode_object",
    ],
    load: () => import("./builtins/url.ts"),
  },
  { names: ["yaml.is_valid", "yaml.marshal", "yaml.unmarshal"], load: () => import("./builtins/yaml.ts") },
  {
    names: [
      ...["time.add_date", "time.clock", "time.date", "time.diff", "time.format", "time.now_ns", "time.weekday"],
      ...["time.parse_duration_ns", "time.parse_ns", "time.parse_rfc3339_ns"],
    ],
    load: () => import("./builtins/time.ts"),
  },
  { names: ["json.match_schema", "json.verify_schema"], load: () => import("./builtins/json-schema.ts") },
  { names: ["strings.render_template"], load: () => import("./builtins/template.ts") },
  { names: ["providers.aws.sign_req"], load: () => import("./builtins/aws.ts") },
  { names: ["json.patch"], load: () => import("./builtins/patch.ts") },
  { names: ["graph.reachable_paths", "object.subset"], load: () => import("./builtins/objects.ts") },
  {
    names: ["net.cidr_contains_matches", "net.cidr_expand", "net.cidr_is_valid", "net.cidr_merge"],
    load: () => import("./builtins/net.ts"),
  },
  {
    names: [
      ...["glob.quote_meta", "regex.find_n", "regex.globs_match", "regex.replace"],
      "regex.split",
      "regex.template_match",
    ],
    load: () => import("./builtins/regex.ts"),
  },
  {
    names: [
      ...["crypto.hmac.equal", "crypto.hmac.md5", "crypto.hmac.sha1", "crypto.hmac.sha256", "crypto.hmac.sha512"],
      ...["crypto.md5", "crypto.sha1", "crypto.sha256"],
    ],
    load: () => import("./builtins/hash.ts"),
  },
  {
    names: [
      ...["crypto.parse_private_keys", "crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_certificates"],
      ...["crypto.x509.parse_and_verify_certificates_with_options", "crypto.x509.parse_certificate_request"],
      ...["crypto.x509.parse_keypair", "crypto.x509.parse_rsa_private_key"],
    ],
    load: () => import("./builtins/x509.ts"),
  },
  {
    names: [
      ...["io.jwt.decode", "io.jwt.decode_verify", "io.jwt.encode_sign", "io.jwt.encode_sign_raw"],
      ...["io.jwt.verify_eddsa", "io.jwt.verify_rs256", "io.jwt.verify_rs384", "io.jwt.verify_rs512"],
      ...JWT_ALGORITHMS.map((algorithm) => `io.jwt.verify_${algorithm}`),
    ],
    load: () => import("./builtins/jwt.ts"),
  },
  { names: ["net.lookup_ip_addr", "opa.runtime"], load: () => import("./builtins/outside.ts") },
  { names: ["rand.intn", "uuid.parse", "uuid.rfc4122"], load: () => import("./builtins/uuid.ts") },
  {
    names: ["cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string"],
    load: () => import("./builtins/casts.ts"),
  },
];

/** What no policy may call, and why; each is refused where the policies are built, with its place. */
export const REFUSED: Readonly<Record<string, string>> = {
  ...{ "http.send": "a judge reaches no network", "net.lookup_ip_addr": "a judge reaches no network" },
  "opa.runtime": "it shows the environment and the configuration of a process",
  [ASKING_BUILTIN]: "the parser of Rego is in the toolchain, and no policy reaches it",
};

/** Answers that follow from the recorded instant, or from chance that is drawn from the recorded input. */
const FROM_RECORD: ReadonlySet<string> = new Set([
  ...["time.now_ns", "rand.intn", "uuid.rfc4122", "io.jwt.decode_verify"],
  ...["crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_and_verify_certificates_with_options"],
]);

/** Whether policies may call it. */
export function isOffered(name: string): boolean {
  return !Object.hasOwn(REFUSED, name) && FAMILIES.some(({ names }) => names.includes(name));
}

/** Whether its answer follows from more than its operands: then what a rule said of an object cannot be remembered. */
export function isFromRecord(name: string): boolean {
  return FROM_RECORD.has(name);
}

/** Loads what is asked for and exists; a name that is left out fails when it is called. */
export async function loadBuiltins(names: readonly string[]): Promise<ReadonlyMap<string, Builtin>> {
  const inside = names.includes(ASKING_BUILTIN) ? (await import("./builtins/inside.ts")).BUILTINS : {};
  const families = FAMILIES.filter((family) => family.names.some((name) => names.includes(name)));
  const loaded = await Promise.all(families.map(({ load }) => load()));
  const all = loaded.flatMap(({ BUILTINS }) => Object.entries(BUILTINS));
  return new Map([...all.filter(([name]) => names.includes(name)), ...Object.entries(inside)]);
}
