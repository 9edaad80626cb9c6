/** GraphQL: the same documents and the same yes or no as OPA's own evaluator, and limits where it has none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitError } from "../../src/policy/builtins/call.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { parseRegoValue } from "../../src/policy/rego-value.ts";
import { type Call, compareAnswers } from "./opa-answers.ts";

const TYPE_SYSTEMS = [
  ...[
    "type A { a: B! } input B { b: Int }",
    "input A { a: A! }",
    "input A { a: A }",
    "input A { a: [A!]! }",
    "scalar Int",
  ],
  ...[
    "interface I { a: Int } type T implements I { a: Int! }",
    "interface I { a: Int! } type T implements I { a: Int }",
  ],
  ...[
    "union U = A | A type A { x: Int }",
    "union U = A type A { x: Int }",
    "type A { x: Int x: Int }",
    "type __A { x: Int }",
  ],
  ...["directive @d on FIELD_DEFINITION type A { x: Int @d @d }", "directive @d(a: Int @d) on ARGUMENT_DEFINITION"],
  ...["directive @d repeatable on FIELD_DEFINITION type A { x: Int @d @d }", "type A { x: Int @deprecated }"],
  ...[
    "directive @d(a: Int!) on OBJECT type A @d { x: Int }",
    "directive @d(a: Int!) on OBJECT type A @d(a: null) { x: Int }",
  ],
  ...[
    "directive @d(a: Int) on OBJECT type A @d(b: 1) { x: Int }",
    'extend scalar Int @specifiedBy(url: "x")',
    "type A",
  ],
  ...[
    "schema { query: A } schema { query: A } type A { x: Int }",
    "schema { query: B }",
    "enum E { true }",
    "enum E { A A }",
  ],
  ...[
    "interface I implements J { a: Int } interface J { a: Int } type T implements I { a: Int }",
    "type A { f(a: A): Int }",
  ],
  ...["interface I implements J { a: Int } interface J { a: Int } type T implements I & J { a: Int }", ""],
  ...["# c\ntype A { x: Int # d\n }", 'type A { x: Int } # "', '""" # """ type A { x: Int }', '"\t" type A { x: Int }'],
  ...[
    "interface I { f: Int } type A implements I { f(a: Int!): Int }",
    "interface I { f: [I] } type A implements I { f: [A] }",
  ],
  ...[
    "directive @include on FIELD type A { x: Int }",
    "directive @a on FIELD directive @a on FIELD",
    "extend type A { x: Int }",
  ],
];

test("a GraphQL schema holds where OPA says so", (t) =>
  compareAnswers(
    t,
    TYPE_SYSTEMS.map((text): Call => ["graphql.schema_is_valid", JSON.stringify(text)]),
  ));

/** Each is read as a query and as a schema. */
const TEXTS = [
  ...[
    "{a}",
    "{a(x: -0.5e+3, y: 01)}",
    "{a(x: 1.)}",
    "{a(x: 1e)}",
    "{a(x: 1a)}",
    "{a(x: 00)}",
    "{a(x: 1.5...b)}",
    "{a(x: 1...b)}",
  ],
  ...[
    "{a\u00a0b}",
    "\ufeff{a,,b}",
    "{a ?}",
    "{a(x: .5)}",
    "{a(x: -)}",
    "",
    "#",
    "# only\n",
    "{}",
    "{a{}}",
    "{a()}",
    "{a(x:[])}",
  ],
  ...[
    '{a(x: "")}',
    '{a(x: "\\ud83d\\ude00\\u00e9\\n\\/")}',
    '{a(x: "\\q")}',
    '{a(x: "b)}',
    '{a(x: "b\nc")}',
    '{a(x: "\t\u007f")}',
  ],
  ...[
    '{a(x: """""")}',
    '{a(x: """"b"""")}',
    '{a(x: """b\\"""c\\d""e""")}',
    '{a(x: """\r\n  b\r    c\n\t\n""")}',
    '{a(x: """b)}',
  ],
  ...[
    '{a(x: """\u0000""")}',
    '{... "on" T {a}}',
    "{... on}",
    "{...on T{a}}",
    "{...{a}}",
    "{...@d{a}}",
    "fragment on on T {a}",
    "query on {a}",
  ],
  ...[
    "fragment f($a: Int = 1 @d(x: $a)) on T @d {a}",
    "query ($a: [Int!]! = [{b: $c}]) {a}",
    "query ($a: Int = {b: [C, null]} @d(x: $a)) {a}",
  ],
  ...[
    "# 1\nquery # 2\nQ # 3\n($a: # 4\nInt # 5\n) {\n# 6\n# 7\na # 8\n: b(# 9\nx # 10\n: # 11\n[# 12\n1 # 13\n] ) # 14\n} # 15",
  ],
  ...[
    "# 1\n{ # 2\n... # 3\nf # 4\n ...on T # 5\n{ # 6\na(x: # 7\n{ # 8\nb # 9\n: # 10\n$c # 11\n} y: # 12\n1 # 13\n) } }\n# 14\nfragment f on T {a}",
  ],
  ...[
    '# 1\n"d" # 2\ntype # 3\nA # 4\nimplements # 5\nB & C { # 6\n"e" # 7\nf # 8\n( # 9\n"" # 10\nx # 11\n: Int = 1 @d) : # 12\nInt # 13\n} # 14',
  ],
  ...[
    '# 1\nextend # 2\ntype A # 3\n@d\n# 4\n"" # 5\nextend union U = # 6\nA # 7\n| B # 8',
    '"x" extend type A @d',
    '"" type A "implements" B { a: Int }',
  ],
  ...[
    '# 1\n"s" # 2\nschema { # 3\nquery # 4\n: Q # 5\n} # 6\nextend schema @a { "mutation": M # 7\n} # 8',
    "schema @d",
    "extend schema",
    "schema {}",
  ],
  ...[
    'enum E { # 1\n"b" # 2\nA # 3\n@d # 4\n}',
    "input I { a: Int = 1 @d # 1\n}",
    "extend input I @d(a: $b)",
    "extend interface I implements J",
    "scalar",
  ],
  ...[
    '# 1\n"d" # 2\ndirective # 3\n@ # 4\nd # 5\n(a: Int) # 6\nrepeatable on # 7\n| FIELD # 8\n| QUERY # 9',
    "directive @d on field",
    "directive @on on FIELD",
  ],
];

test("a GraphQL document is shown as OPA shows it, comments included, or by neither", (t) =>
  compareAnswers(
    t,
    TEXTS.flatMap((text): Call[] => {
      return [["graphql.parse_query", JSON.stringify(text)], ["graphql.parse_schema", JSON.stringify(text)], OK];
    }),
  ));

const OK: Call = ["graphql.parse_query", '"{a}"'];

const SCHEMA = `
  schema { query: Q mutation: M subscription: S }
  type Q { a(x: Int! = 1, y: In, z: [E!], f: Float, i: ID, s: String, any: Any): A b: Int n: Node u: U e: E one(o: One): Int w: [W!]! }
  type M { a: Int } type S { a: Int b: Int } type A implements Node { id: ID! a: A b: Int c(x: [Int]): String }
  type B implements Node { id: ID! a: B b: Int! } interface Node { id: ID! } union U = A | B type W { b: Int }
  input In { a: Int! b: In c: E = X d: [Any] } enum E { X Y } scalar Any input One @oneOf { a: Int b: String }
  directive @d(x: Int!) on FIELD directive @r repeatable on FIELD | QUERY | VARIABLE_DEFINITION`;

const QUERIES = [
  ...[
    "{b}",
    "{b b: b}",
    "{b x: b y}",
    "{b: e b}",
    "{a{b} a{id}}",
    "{a(x: 1){b} a(x: 2){b}}",
    "{a(y: {a: 1, c: X}){b} a(y: {c: X, a: 1}){b}}",
  ],
  ...[
    "{a(x: null){b}}",
    "{a(x: 9223372036854775807){b}}",
    "{a(x: 9223372036854775808){b}}",
    "{a(f: 1e999){b}}",
    "{a(f: 1){b}}",
    "{a(x: 1.0){b}}",
  ],
  ...[
    "{a(any: 9223372036854775808){b}}",
    "{a(any: {a: [1, $x]}){b}}",
    "{a(y: {a: 1, d: [9223372036854775808]}){b}}",
    "{a(y: {}){b}}",
    "{a(s: {}){b}}",
  ],
  ...[
    "{a(z: X){b}}",
    "{a(z: [X, null]){b}}",
    '{a(z: ["X"]){b}}',
    "{a(z: Z){b}}",
    "{a(i: 1, s: 1){b}}",
    '{a(i: "1"){b}}',
    "{a(y: {a: 1, a: 2}){b}}",
  ],
  ...[
    "{one(o: {a: 1})}",
    "{one(o: {})}",
    "{one(o: {a: null})}",
    "query ($v: Int) {one(o: {a: $v})}",
    "query ($v: Int!) {one(o: {a: $v})}",
  ],
  ...[
    "query ($v: Int) {a(x: $v){b}}",
    "query ($v: Int!) {a(x: $v){b}}",
    "query ($v: Int = 1) {a(y: {a: $v}){b}}",
    "query ($v: Int = null) {a(y: {a: $v}){b}}",
  ],
  ...[
    "query ($v: Int $v: Int) {b}",
    "query ($v: Int) {b}",
    "query ($v: A) {b}",
    "query ($v: Zz) {b}",
    "query ($v: Int = X) {a(x: $v){b}}",
    "{a(x: $v){b}}",
  ],
  ...[
    "query ($v: Any = 9223372036854775808) {a(any: $v){b}}",
    "query ($v: Any = 9223372036854775808) {a(y: {a: 1, d: [$v]}){b}}",
    "query ($v: Int @r) {a(x: 1, f: 1, i: $v){b}}",
  ],
  ...[
    "{b @d}",
    "{b @d(x: 1)}",
    "{b @d(x: 1) @d(x: 1)}",
    "{b @r @r}",
    "query @r {b}",
    "query @d(x: 1) {b}",
    "{b @zz}",
    "{b @d(y: 1, x: 1)}",
    "{b @skip(if: 1)}",
  ],
  ...[
    "{n{id ...on A{b} ...on B{b}}}",
    "{u{...on A{a{id}} ...on B{a{id}}}}",
    "{u{...on A{b: id} ...on B{b}}}",
    "{u{id}}",
    "{u{__typename}}",
    "{a{...on B{b}}}",
    "{a{...on W{b}}}",
  ],
  ...[
    "{...f} fragment f on Q {b}",
    "{...f} fragment f on Q {...f}",
    "{b} fragment f on Q {b}",
    "{...f}",
    "{...f ...f} fragment f on Q {b}  fragment f on Q {b}",
  ],
  ...[
    "{...f ...g} fragment f on Q {b: e} fragment g on Q {b}",
    "{a{...f} a{...g}} fragment f on A {b: id} fragment g on A {b}",
    "{...f b: e} fragment f on Q {...g} fragment g on Q {b}",
  ],
  ...[
    "{...f} fragment f on Int {b}",
    "{...f} fragment f on Zz {b}",
    "{...on Int{b}}",
    "{a}",
    "{b{c}}",
    "{b(x: 1)}",
    "{__typename(x: 1)}",
    "{zz}",
    "{w{b}}",
    "{a(x: 1, x: 1){b}}",
  ],
  ...[
    "subscription {a}",
    "subscription {a b}",
    "subscription {__typename}",
    "subscription {a ...f} fragment f on S {a}",
    "mutation {a}",
    "query A {b} query A {b}",
    "{b} {b}",
    "query A {b} {b}",
  ],
  ...[
    "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}",
    "{__schema{types{fields{type{fields{name}}}}}}",
    '{__type(name: "A"){name}}',
    "{__type{name}}",
    "",
  ],
];

const BARE = [
  "type Query { a: Int }",
  "type A { a: Int } schema { mutation: A }",
  "type Query { a: A }",
  "type __A { a: Int }",
  "extend type Query { a: Int }",
];

test("a GraphQL query holds against a schema where OPA says so", async (t) => {
  const verified = QUERIES.map((query): Call => verifying("graphql.parse_and_verify", query, SCHEMA));
  const bare = BARE.flatMap((schema) =>
    ["{a}", "mutation {a}", "{__schema{description}}"].map((query) => [query, schema]),
  );
  const names = ["graphql.parse_and_verify", "graphql.is_valid", "graphql.parse"];
  await compareAnswers(t, [
    ...verified,
    ...bare.flatMap(([query = "", schema = ""]) => names.map((name) => verifying(name, query, schema))),
  ]);
  const functions = await loadBuiltins(names);
  const holding = QUERIES.filter((query) => functions.get("graphql.is_valid")?.([query, SCHEMA], NOTHING_KNOWN));
  assert.ok(holding.length > 20 && holding.length < QUERIES.length - 20, `${holding.length} of ${QUERIES.length} hold`);
});

const NOTHING_KNOWN = { nowNs: null, draw: null };

function verifying(name: string, query: string, schema: string): Call {
  return [name, JSON.stringify(query), JSON.stringify(schema)];
}

const SKIPPED = { Name: "if", Value: { Raw: "true", Kind: 5 }, Comment: { List: [{ Value: "# why" }] } };

/** Documents as a policy may hand them over, in the place of their text: Go's reading of JSON. */
const OBJECTS = [
  { Operations: [{ Operation: "query", Name: "", SelectionSet: [{ Alias: "b", Name: "b" }] }] },
  { operations: [{ Operation: "query", SelectionSet: [{ Name: "b", Comment: { List: [{ Value: "#" }] } }] }] },
  {
    Operations: [{ operation: "mutation", SelectionSet: [{ Name: "b" }] }],
    Other: 5,
    Comment: { list: [{ value: "#" }] },
  },
  { Operations: [{ SelectionSet: [{ Alias: 5, Name: "b" }] }] },
  { Operations: [{ SelectionSet: [{ TypeCondition: "Q", SelectionSet: [{ Name: "b" }] }] }] },
  { Operations: [{ SelectionSet: [5, { Name: "b" }] }] },
  { Operations: [{ SelectionSet: [null] }] },
  { Operations: [{ SelectionSet: null }], Fragments: null },
  { Operations: [{ SelectionSet: { Name: "b" } }] },
  { Operations: 5 },
  { Operations: [{ SelectionSet: [{ Name: "b", Directives: [{ name: "skip", arguments: [SKIPPED] }] }] }] },
  {
    Operations: [
      { SelectionSet: [{ Name: "b", Directives: [{ Name: "skip", Arguments: [{ ...SKIPPED, Name: 5 }] }] }] },
    ],
  },
  {
    Operations: [
      { VariableDefinitions: [{ Variable: "v", Type: { NamedType: "Int" }, Used: true }], SelectionSet: [] },
    ],
  },
  ...[{}, [], 5, null],
];
const SCHEMAS = [
  { Definitions: [{ Kind: "OBJECT", Name: "Query", Fields: [{ Name: "b", Type: { NamedType: "Int" } }] }] },
  {
    definitions: [
      { kind: "OBJECT", name: "Query", fields: [{ name: "b", type: { Elem: { namedtype: "Int" }, nonnull: true } }] },
    ],
  },
  {
    Definitions: [{ Kind: "OBJECT", Name: "__Q", BuiltIn: true, Fields: [{ Name: "b", Type: { NamedType: "Int" } }] }],
  },
  { Definitions: [{ Kind: "OBJECT", Name: "Query", Fields: [{ Name: "b", Type: { NamedType: 5 } }] }] },
  ...[{ Definitions: "" }, { Extensions: [], Comment: null }, {}, 5],
];

test("a GraphQL document that a policy hands over is read as Go reads its JSON", (t) => {
  const [schema, query] = [JSON.stringify("type Query { b: Int }"), JSON.stringify("{b}")];
  return compareAnswers(t, [
    ...OBJECTS.map((one): Call => ["graphql.parse_and_verify", JSON.stringify(one), schema]),
    ...SCHEMAS.map((one): Call => ["graphql.parse_and_verify", query, JSON.stringify(one)]),
    ...SCHEMAS.map((one): Call => ["graphql.schema_is_valid", JSON.stringify(one)]),
  ]);
});

const FRAGMENTS = Array.from({ length: 400 }, (_, at) => `fragment f${at} on Q {...f${at + 1}}`).join(" ");

/** What would take OPA minutes, or more stack than there is. */
const TOO_MUCH: readonly (readonly [string, string])[] = [
  [`${"{a".repeat(600)}`, SCHEMA],
  [`{a(x: ${"[".repeat(600)}`, SCHEMA],
  ["{b}", `type Q { a: ${"[".repeat(600)}`],
  [
    `{...f0} ${FRAGMENTS} ${FRAGMENTS.replaceAll("f", "g").replaceAll("gragment", "fragment")} fragment f400 on Q {...g0} fragment g400 on Q {b}`,
    SCHEMA,
  ],
  [`{${"b ".repeat(2000)}}`, SCHEMA],
];

test("a GraphQL document that is too deep or takes too long is an error, and no answer", async () => {
  const isValid = (await loadBuiltins(["graphql.is_valid"])).get("graphql.is_valid") ?? assert.fail();
  for (const operands of TOO_MUCH)
    assert.throws(() => isValid(operands, NOTHING_KNOWN), LimitError, operands[0].slice(0, 60));
  let deep = `{"Elem": `.repeat(600);
  deep = `{"Definitions": [{"Fields": [{"Type": ${deep}{}${"}".repeat(600)}}]}]}`;
  assert.throws(() => isValid(["{b}", parseRegoValue(deep)], NOTHING_KNOWN), LimitError);
});
