/** Random calls of the functions of our host against OPA's own evaluator: the same answer, or none on both sides. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { goJsonText } from "../../src/policy/builtins/json-text.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { parseRegoValue, regoText } from "../../src/policy/rego-value.ts";
import { isObject } from "../../src/policy/toolchain.ts";
import { realToolchain } from "./support.ts";

/** Operands as they are written in Rego. */
type Written = fc.Arbitrary<string>;

const json = (texts: fc.Arbitrary<string>): Written => texts.map((one) => JSON.stringify(one));
const among = (...texts: readonly string[]): Written => json(fc.constantFrom(...texts));
const joined = (...parts: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((all) => all.join(""));
const list = (items: Written): Written => fc.array(items, { maxLength: 4 }).map((all) => `[${all.join(", ")}]`);

const TEXT = json(joined("a", "b", "ab", "é", "😀", " ", "%", "+", "&", "<", '"', "\\", "/", ".", "-", "\n", "0"));
const INTEGER = fc.integer({ min: -30, max: 30 }).map(String);
const NS = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    fc.constantFrom(0n, 1774746000000000000n, 951782400000000000n),
  )
  .map(String);
const ZONE = among("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Nowhere/Land");
const LAYOUT = among(
  ...["RFC3339", "RFC1123Z", "ANSIC", "RFC822Z", "2006-01-02", "Jan _2 3:04PM .000", "Monday 002 06 pm -07:00:00"],
  ...["15:04:05.999999", "__2 1 2 3 4 5", "January Janet", "Z0700 Z07"],
);
const MOMENT = fc.oneof(
  NS,
  fc.tuple(NS, ZONE).map((parts) => `[${parts.join(", ")}]`),
);
const CIDR = json(
  fc.oneof(
    fc
      .tuple(joined("10.0.0.", "10.0.1."), fc.nat(260), fc.integer({ min: 20, max: 34 }))
      .map(([a, b, c]) => `${a}${b}/${c}`),
    fc.constantFrom(
      "2001:db8::/32",
      "2001:db8::1/128",
      "::ffff:10.0.0.0/120",
      "fe80::/10",
      "::/0",
      "10.0.0.1",
      "x",
      "1::2::3/4",
    ),
    fc.tuple(fc.nat(4), fc.nat(3), fc.integer({ min: 24, max: 32 })).map(([a, b, c]) => `10.${a}.0.${b * 64}/${c}`),
  ),
);
const LEAF = fc.constantFrom("1", "2", '"a"', "null", "true", "[]", "{}", "set()", '"b"');
const VALUE = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: LEAF },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }).map((all) => `[${all.join(", ")}]`) },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(tie("value"), { minLength: 1, maxLength: 3 }).map((all) => `{${all.join(", ")}}`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie("value"), tie("value")).map(([a, b]) => `{"a": ${a}, "b": ${b}}`),
    },
  ),
})).value;
const DOCUMENT = fc.tuple(VALUE, VALUE).map(([a, b]) => `{"a": ${a}, "b": [${b}, 1], "c": {"d": ${a}}}`);
// The root itself is left out: OPA stops with a nil pointer when it is removed, we answer null.
const PATH = among("/a", "/b/0", "/b/-", "/b/1", "/b/7", "/c/d", "/c/e", "/c", "/a/0", "/x/y", "/c~1d");
const OPERATION = fc.oneof(
  fc
    .tuple(fc.constantFrom("add", "replace", "test"), PATH, LEAF)
    .map(([op, path, value]) => `{"op": "${op}", "path": ${path}, "value": ${value}}`),
  PATH.map((path) => `{"op": "remove", "path": ${path}}`),
  fc
    .tuple(fc.constantFrom("move", "copy"), PATH, PATH)
    .map(([op, from, path]) => `{"op": "${op}", "from": ${from}, "path": ${path}}`),
);
const SUBSETS = fc.tuple(VALUE, VALUE).map(([a, b]) => `{"a": ${a}, "b": [1, ${b}], "c": {${a}, 1}}`);
const NODES = fc.constantFrom('"a"', '"b"', '"c"', '"d"');
const GRAPH = fc
  .array(list(NODES), { minLength: 3, maxLength: 3 })
  .map(([a, b, c]) => `{"a": ${a}, "b": ${b}, "c": ${c}}`);
const PATTERN = among(
  "a",
  "a*",
  "(a|b)+",
  "",
  "\\b",
  "[^a]",
  "(?i)A(B)?",
  "(?P<x>a)b",
  "^",
  "$",
  "\\pL",
  ".",
  "(a",
  "é",
);
// biome-ignore lint/suspicious/noTemplateCurlyInString: Go's own way to name a group
const REPLACEMENT = among("x", "$0", "${1}y", "$x", "$1y", "$$", "$", "${x}", "${", "$é");
const SUBJECT = json(joined("a", "b", "A", "é", "😀", " ", "\n"));
const HEADER = fc.constantFrom(
  '{"alg": "HS256"}',
  '{"alg": "HS512", "typ": "JWT"}',
  '{"typ": "text"}',
  '{"alg": "none"}',
);
const KEY = fc.constantFrom('{"kty": "oct", "k": "c2VjcmV0"}', '{"kty": "oct"}');
const TOKEN = among(
  ...["eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AA", "a.b", "e30.e30.e30", "eyJhbGciOiJIUzI1NiJ9.W10.AA"],
  "eyJhbGciOiJIUzI1NiIsImVuYyI6IngifQ.e30.AA",
);
const QUANTITY = json(
  fc
    .tuple(
      fc.constantFrom("1", "0.5", "1.25", "-3", "1e3", "1E", ".5", "5.", "", "1e-3", "12345678901234567890"),
      joined("k", "K", "M", "m", "i", "Ki", "GiB", "e", "E", "b", " "),
    )
    .map((parts) => parts.join("").slice(0, 24)),
);
const URL = json(
  joined(
    "http",
    "https:",
    "//",
    "a.b",
    ":80",
    ":x",
    "/",
    "p q",
    "%20",
    "%zz",
    "?q=1",
    "#f",
    "user@",
    "[::1]",
    "é",
    "&a=b",
  ),
);
const DURATION = json(joined("1", "h", "1.5", "m", "ms", "d", "w", "y", "-", "2s", "300us", "x", "0"));

const FUNCTIONS: readonly (readonly [string, ...Written[]])[] = [
  ["indexof_n", SUBJECT, SUBJECT],
  ["strings.split_n", TEXT, SUBJECT, INTEGER],
  ["strings.count", TEXT, SUBJECT],
  ["hex.encode", TEXT],
  ["hex.decode", among("6162", "6g", "616", "", "C3A9")],
  ["base64url.encode_no_pad", TEXT],
  ["urlquery.encode", TEXT],
  ["urlquery.decode", TEXT],
  ["urlquery.decode_object", json(joined("a", "=", "&", "b", "%20", "+", "é", ";"))],
  ["urlquery.encode_object", fc.tuple(TEXT, list(TEXT)).map(([a, b]) => `{"x": ${a}, "a b": ${b}}`)],
  ["uri.is_valid", URL],
  ["uri.parse", URL],
  [
    "json.marshal_with_options",
    VALUE,
    fc.constantFrom('{"pretty": true}', '{"indent": "  "}', '{"prefix": ">", "pretty": true}', "{}"),
  ],
  ["json.patch", DOCUMENT, list(OPERATION)],
  ["object.subset", SUBSETS, SUBSETS],
  ["graph.reachable_paths", GRAPH, list(NODES)],
  ["net.cidr_is_valid", CIDR],
  ["net.cidr_merge", list(CIDR.filter((one) => !one.includes("ffff")))],
  ["net.cidr_contains_matches", list(CIDR), list(CIDR)],
  ["numbers.range_step", INTEGER, INTEGER, INTEGER],
  ["units.parse", QUANTITY],
  ["units.parse_bytes", QUANTITY],
  ["regex.find_n", PATTERN, SUBJECT, INTEGER],
  ["regex.replace", SUBJECT, PATTERN, REPLACEMENT],
  ["regex.split", PATTERN, SUBJECT],
  ["regex.template_match", among("a{b*}c", "{.*}", "a", "{a", "x{[0-9]{2}}"), SUBJECT, among("{"), among("}")],
  ["glob.quote_meta", TEXT],
  ["crypto.sha256", TEXT],
  ["crypto.hmac.sha512", TEXT, TEXT],
  ["io.jwt.decode", TOKEN],
  ["io.jwt.verify_hs256", TOKEN, TEXT],
  ["io.jwt.encode_sign", HEADER, VALUE.map((value) => `{"x": ${value}}`), KEY],
  ["time.date", MOMENT],
  ["time.clock", MOMENT],
  ["time.weekday", MOMENT],
  ["time.add_date", NS, INTEGER, INTEGER, INTEGER],
  ["time.diff", MOMENT, MOMENT],
  ["time.format", fc.tuple(NS, fc.constant('"UTC"'), LAYOUT).map((parts) => `[${parts.join(", ")}]`)],
  ["time.format", MOMENT],
  ["time.parse_duration_ns", DURATION],
  ["time.parse_ns", LAYOUT, among("2024-02-29", "2024-02-30", "15:04:05.5", "Mon Jan  2 15:04:05 2006", "10:11:12")],
  [
    "uuid.parse",
    among(
      "c2f6a6c8-3f3f-11ee-be56-0242ac120002",
      "{c2f6a6c8-3f3f-21ee-be56-0242ac120002}",
      "x",
      "00000000-0000-0000-0000-000000000000",
    ),
  ],
];

const RUNS = 60;

test("a random call has the answer that OPA gives", async (t) => {
  const calls = FUNCTIONS.flatMap(([name, ...operands]) =>
    fc.sample(fc.tuple(...operands), { numRuns: RUNS, seed: 101 }).map((written) => ({ name, written })),
  );
  const rules = calls.map(({ name, written }, at) => `answer["${at}"] := json.marshal(${name}(${written.join(", ")}))`);
  const files = [{ path: "a.rego", text: `package a\nanswer["none"] := ""\n${rules.join("\n")}` }];
  const answered = await realToolchain(t).request("eval", { files, query: "data.a.answer" });
  assert.ok(answered.ok && isObject(answered.result["value"]), JSON.stringify(answered).slice(0, 2000));
  const expected = answered.result["value"];
  const functions = await loadBuiltins(FUNCTIONS.map(([name]) => name));
  const wrong: string[] = [];
  for (const [at, { name, written }] of calls.entries()) {
    const ours = attempt(() => {
      const answer = functions.get(name)?.(written.map(parseRegoValue), { nowNs: null, draw: null });
      return answer === undefined ? null : goJsonText(parseRegoValue(regoText(answer)));
    });
    const theirs = expected[String(at)] ?? null;
    if (ours !== theirs) wrong.push(`${name}(${written.join(", ")}): OPA ${theirs}, ours ${ours}`);
  }
  assert.deepEqual(wrong, []);
});

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
