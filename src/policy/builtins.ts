/**
 * The built-in functions that a policy module calls on its host, with Go's semantics: a closed set. What is not here is
 * refused when policies are built (`builtin-not-supported`); a call that fails is an error of the rule. Each family is
 * loaded only when a module imports one of it.
 */
import type { Builtin, BuiltinFamily } from "./builtins/call.ts";

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
  { names: ["graphql.parse_query", "graphql.parse_schema"], load: () => import("./builtins/graphql.ts") },
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
  { names: ["json.patch"], load: () => import("./builtins/patch.ts") },
  { names: ["graph.reachable_paths", "object.subset"], load: () => import("./builtins/objects.ts") },
  {
    names: ["net.cidr_contains_matches", "net.cidr_expand", "net.cidr_is_valid", "net.cidr_merge"],
    load: () => import("./builtins/net.ts"),
  },
  {
    names: [...["glob.quote_meta", "regex.find_n", "regex.replace", "regex.split"], "regex.template_match"],
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
      ...["io.jwt.decode", "io.jwt.decode_verify", "io.jwt.encode_sign", "io.jwt.encode_sign_raw"],
      ...["io.jwt.verify_eddsa", "io.jwt.verify_rs256", "io.jwt.verify_rs384", "io.jwt.verify_rs512"],
      ...JWT_ALGORITHMS.map((algorithm) => `io.jwt.verify_${algorithm}`),
    ],
    load: () => import("./builtins/jwt.ts"),
  },
  { names: ["rand.intn", "uuid.parse", "uuid.rfc4122"], load: () => import("./builtins/uuid.ts") },
  {
    names: ["cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string"],
    load: () => import("./builtins/casts.ts"),
  },
];

/** Answers that no two evaluations share: refused until the evidence of a decision records them. */
const UNRECORDED: ReadonlySet<string> = new Set(["time.now_ns", "rand.intn", "uuid.rfc4122"]);

/** Whether policies may call it. */
export function isOffered(name: string): boolean {
  return !UNRECORDED.has(name) && FAMILIES.some(({ names }) => names.includes(name));
}

/** Loads what is asked for and exists; a name that is left out fails when it is called. */
export async function loadBuiltins(names: readonly string[]): Promise<ReadonlyMap<string, Builtin>> {
  const families = FAMILIES.filter((family) => family.names.some((name) => names.includes(name)));
  const loaded = await Promise.all(families.map(({ load }) => load()));
  const all = loaded.flatMap(({ BUILTINS }) => Object.entries(BUILTINS));
  return new Map(all.filter(([name]) => names.includes(name)));
}
