/** Operands at the edges of what each built-in of a module takes, as Rego terms. */
const texts = (...all: readonly string[]): readonly string[] => all.map((one) => JSON.stringify(one));

const ODD = ["null", "true", "1", "[]", "{}", "set()", '["a"]', '{"a"}', '{"a": 1}'];
const WHOLE = ["0", "1", "-1", "-3", "2", "7", "10", "16", "1e3", "9223372036854775807", "-9223372036854775808"];
const NUMBERS = [...WHOLE, "2.5", "-2.5", "0.1", "9223372036854775808", "1e-5", "123456789.123456789", "64"];
const SMALL = ["0", "1", "-1", "2", "3", "-2", "1.5", "100", '"1"', "null"];
const TEXTS = [
  ...texts("", "a", "ab", "abcab", "A", "é", "É", "ß", "İ", "ǅ", "😀", "a😀b", " ", "\t a \u00a0\u2003", "\n", "%"),
  ...texts("aXbXc", "a.b", "Σας", "ﬁ", "\u0000", "a\u0000b", "𐐀", "\u0345", "ſ", "\u0085a\u3000", "\v\fa\r"),
];
const JSON_TEXTS = [
  ...texts("0x10", "1", "01", "-", "-0", "1.", ".5", "1e5", "1E+5", "1e", "+1", " 1 ", "1 2", "[1,]", "[,1]", "[1 2]"),
  ...texts("{1,2}", "set()", "{}", "[]", "", " ", '{"a":1,}', '{"a":1}}', '{"a":1,"a":2}', "{a:1}", '{"a" 1}', "{1:2}"),
  ...texts(
    "{null:2}",
    "'a'",
    '"\\u00e9"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\x"',
    '"a\nb"',
    '"a\tb"',
    "nul",
    "truex",
  ),
  ...texts(
    "True",
    "NaN",
    "Infinity",
    '"\\u00"',
    "[1",
    '"a',
    "1e400",
    "1e-400",
    "123456789012345678901234567890",
    "1.10",
  ),
  ...texts("1e30102", "1e30103", "1e40000", '{"a":[-1e1000000]}', "0e99999999", "\u00a01", "//x\n1", "[1]//x", "[]]"),
  ...texts("\u000b1", '"\\/"', '"\\u0000"', '{"b":1,"a":2}', "[[[[]]]]", "- 1", "--1", "1-1", "00", "0e0", '{"a":}'),
  ...texts("{:1}", '{"":1}', "\r\n1", "\f1", "[true,false,null]", '"\\b\\f\\n\\r\\t\\""', "true", "null", "tru"),
];
const BASE64 = [
  ...texts("", "YQ==", "YQ", "YQ=", "YR==", "YWI=", "YWJj", "YWJjZA==", "YW\nJj", "YWJj\n", "Y Q==", "%", "====", "="),
  ...texts("YQ==YQ==", "YQ==x", "-_-_", "+/+/", "_w==", "/w==", "_w", "/w", "w6k=", "w6k", "AAAA", "YWJ", "4pyT", "é"),
  ...texts("YQ=\n=", "YQ\r\n==", "Y", "YQ===", "\nYQ==", "YQ\n", "YWI\n", "77u/YQ=="),
];
const PATTERNS = [
  ...texts("a", "a*", "(a|b)+", "", "\\b", "[^a]", "(?i)A(B)?", "(?P<x>a)b", "^", "$", "\\pL", ".", "(a", "é", "\\d"),
  ...texts("\\x{1F600}", "a{2}", "a{1001}", "[[:alpha:]]", "\\Qa.b\\E", "(?s).", "(?m)^a", "\\z", "*", "a**", "[z-a]"),
  ...texts(
    "(?P<x>a)(?P<x>b)",
    "\\1",
    "(?=a)",
    "x*?",
    "(?U)a+",
    "\\p{Greek}",
    "\\p{Zz}",
    "()",
    "[a",
    "a]",
    "{",
    "a{2,1}",
  ),
  ...texts("\\", "\\8", "(?x)a", "😀", "(?i)k", "\\w", "\\s"),
];
const GLOBS = [
  ...texts("*", "**", "a*", "*.b", "a.?", "[ab]", "[!a]", "{a,b}", "{a,b*}.c", "[a-c]", "[!a-c]", "\\*", "[", "[a"),
  ...texts("]", "}", "", "a", "é*", "**.c", "a/**/b", "*/b", "{}", "[]", "[!]", "{a,{b,c}}", "a,b", "???", "*\\.b"),
  ...texts("{a,}", "😀", "?*", "*a*b*", "^a"),
];
const GLOBBED = texts("a", "a.b", "ab", "b", "", "a/b", "a/x/b", "é", "a.b.c", "😀", "*", "abc", "a,b", "axb.c", "}");
const DELIMITERS = ["[]", "null", '["."]', '["/"]', '[".", "/"]', '[""]', '["é"]', "[1]", '{"."}', '"."'];
const NETWORKS = [
  ...texts("10.0.0.0/8", "10.1.2.3", "10.1.0.0/16", "10.0.0.0/33", "010.0.0.1", "::1", "::/0", "2001:db8::/32"),
  ...texts("2001:db8::1", "::ffff:10.1.2.3", "::ffff:10.0.0.0/104", "10.0.0.1/8", "0.0.0.0/0", "nowhere", "", "::/129"),
  ...texts("10.0.0.0/08", "10.0.0.0/-1", "1.2.3", " 10.0.0.1", "fe80::1%eth0", "1::2::3", "10.0.0.0/", "10.0.0.0/+8"),
  ...texts("256.0.0.1", "0x0a.0.0.1", "::1.2.3.4", "FE80::/10", "::ffff:a01:203/128", "255.255.255.255/32"),
];
const OBJECTS = [
  ...["{}", '{"a": 1}', '{"a": {"b": 2, "c": 3}}', '{"a": ["x", {"y": 1}], "b": []}', '{"a/b": 1, "a~b": 2, "": 3}'],
  ...['{1: 2, "1": 3}', "{[1]: 2}", "{null: 1}", '{"0": "x"}', "{{1}: 1}", '{"a": {1, 2}}', "[]", "1"],
];
const PATHS = [
  ...[
    "[]",
    '["a"]',
    '["a/b"]',
    '["/a/b"]',
    '[["a", "b"]]',
    '["a/0"]',
    '[["a", 0]]',
    '[["a", "0"]]',
    '["a~1b"]',
    '["/"]',
  ],
  ...["[1]", "[[1]]", '{"a"}', "set()", '["a/b/c", "a"]', '["a", "a/b"]', '["x/y"]', '{"a": 1}', '"a"', '["a/1/y"]'],
  ...["[null]", '["a", 1]', '[[["a"]]]', '["a/00"]', '[["a", 1, "y"]]'],
];
const LISTS = [
  ...["[]", "[1, 2, 3]", '["b", "a"]', "[[1], [2, [3]]]", "[true, false]", "[{}]", '[{"a": 1}, {"b": 2}]', "[1.5, 2]"],
  ...['[1, "a", null]', "[9223372036854775807, 1]", '[["a"], {"b"}]', "[[]]", "[2, 1, 10]"],
];
const SETS = ["set()", "{1, 2}", '{"a", "b"}', "{{1}, {1, 2}}", "{null, 1}", "{[1], [2]}", "{{1}, 2}", '{"a", 1}'];
const COLLECTIONS = [
  ...LISTS,
  ...SETS,
  '"abc"',
  '"😀é"',
  "{}",
  '{"a": 1}',
  "1",
  "null",
  '{"a": 2, "b": 1}',
  '{"a": true}',
];
const ANY = [
  ...new Set([...LISTS, ...SETS, ...OBJECTS, ...NUMBERS, ...TEXTS, ...ODD, '"<&>"', '"\\u2028"', "{2: 1, 10: 2}"]),
];

const each = (names: readonly string[], ...pools: readonly (readonly string[])[]) =>
  Object.fromEntries(names.map((name) => [name, pools]));

/** For each built-in what each of its operands may be; every combination is a call. */
export const EDGES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  ...each(["abs", "ceil", "floor", "round", "bits.negate"], [...NUMBERS, ...ODD]),
  ...each(["bits.and", "bits.or", "bits.xor"], [...NUMBERS, '"a"'], [...WHOLE, "2.5", "null"]),
  ...each(["div", "minus", "mul", "plus", "rem"], [...NUMBERS, '"a"', "{1, 2}", "{2}"], [...NUMBERS, "null", "{2}"]),
  ...each(["bits.lsh", "bits.rsh"], NUMBERS, [...SMALL, "63", "64", "65"]),
  ...each(["and", "or", "set_diff"], [...SETS, "[]", "1"], [...SETS, "[]"]),
  ...each(["intersection", "union"], [...SETS, "[]", "[{1}]", "{{1}, {2}}"]),
  ...each(
    ["all", "any", "array.flatten", "array.reverse", "count", "max", "min", "product", "sort", "sum"],
    COLLECTIONS,
  ),
  ...each(["lower", "upper", "strings.reverse", "trim_space", "base64.encode", "base64url.encode"], [...TEXTS, ...ODD]),
  ...each(["base64.decode", "base64url.decode", "base64.is_valid"], [...BASE64, ...ODD]),
  ...each(["json.unmarshal", "json.is_valid"], [...JSON_TEXTS, ...ODD]),
  ...each(["json.marshal", "type_name", "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set"], ANY),
  ...each(["is_string", "regex.is_valid"], [...PATTERNS, ...ODD]),
  to_number: [
    [...JSON_TEXTS, ...texts("Inf", "inf", "0b1", "١", "1,0", "1e308", "1e309", "1E-999"), ...NUMBERS, ...ODD],
  ],
  ...each(["contains", "endswith", "startswith", "indexof", "split", "trim"], [...TEXTS, "1"], [...TEXTS, "1"]),
  ...each(["trim_left", "trim_prefix", "trim_right", "trim_suffix"], [...TEXTS, "1"], [...TEXTS, "1"]),
  replace: [
    [...TEXTS, "1"],
    [...TEXTS.slice(0, 12), "1"],
    [...texts("", "x", "é"), "1"],
  ],
  "strings.replace_n": [
    ["{}", '{"a": "b"}', '{"a": "b", "b": "a"}', '{"a": 1}', '{1: "a"}', '{"ab": "x", "a": "y"}', '{"é": "e"}', "[]"],
    [...TEXTS, "1"],
  ],
  substring: [[...TEXTS, "1"], SMALL, SMALL],
  concat: [
    [...texts("", ",", "é"), "1"],
    [...["[]", '["a"]', '["a", "b"]', '{"b", "a"}', '{"é", "z", "😀"}', "set()", '["a", 1]', '{1, "a"}', '"a"', "{}"]],
  ],
  format_int: [
    [...NUMBERS, '"a"'],
    ["2", "8", "10", "16", "3", "0", "-1", "36", '"a"', "10.5"],
  ],
  "array.concat": [
    [...LISTS, "1"],
    [...LISTS.slice(0, 4), "null"],
  ],
  "array.slice": [[...LISTS.slice(0, 4), '"abc"'], SMALL, SMALL],
  "glob.match": [[...GLOBS, "1"], DELIMITERS, [...GLOBBED, "1"]],
  ...each(["re_match", "regex.match"], [...PATTERNS, "1"], [...TEXTS, "1"]),
  "regex.find_all_string_submatch_n": [PATTERNS, [...TEXTS, "1"], ["-1", "0", "1", "2", "1.5", "null"]],
  ...each(["net.cidr_contains", "net.cidr_intersects", "net.cidr_overlap"], [...NETWORKS, "1"], [...NETWORKS, "1"]),
  "graph.reachable": [
    [
      "{}",
      '{"a": ["b"], "b": ["a", "c"]}',
      '{"a": {"b"}, "b": []}',
      '{"a": "b"}',
      "[]",
      "{1: [2], 2: []}",
      '{"a": null}',
    ],
    ["[]", '["a"]', '{"a"}', "set()", '["x"]', '"a"', "{1}", '{"a": 1}', "null"],
  ],
  ...each(["json.filter", "json.remove"], OBJECTS, PATHS),
  ...each(["object.filter", "object.remove"], OBJECTS, [
    "[]",
    '["a"]',
    '{"a"}',
    '{"a": 5}',
    "[1]",
    "[[1]]",
    '"a"',
    "null",
  ]),
  "object.get": [[...OBJECTS, '["x", "y"]'], [...PATHS, '"b"', "0", "1", "null", "[0]"], ['"d"']],
  "object.keys": [OBJECTS],
  "object.union": [OBJECTS, OBJECTS],
  "object.union_n": [
    [
      ...[
        "[]",
        '[{"a": 1}]',
        '[{"a": 1}, {"b": 2}]',
        "[1]",
        '[{"a": 1}, 1]',
        "[[]]",
        "[null]",
        "{{1: 2}}",
        "set()",
        "{}",
      ],
      ...['[{"a": {"b": 1}}, {"a": 4}, {"a": {"c": 3}}]', '{"a": {"b": 1}}', "[{}, {}]", "1"],
    ],
  ],
  "numbers.range": [
    [...SMALL, "5"],
    [...SMALL, "-5"],
  ],
  ...each(["equal", "gt", "gte", "lt", "lte", "neq"], ANY.slice(0, 40), ANY.slice(0, 40)),
  "internal.member_2": [ANY.slice(0, 20), COLLECTIONS],
  "internal.member_3": [["0", "1", '"a"', "null"], ["1", '"a"', "2", "null"], COLLECTIONS],
};

/** Where a module answers otherwise than OPA's evaluator and nobody asks the host: a pattern that is another, or none. */
export const OTHERWISE: readonly (readonly [name: string, ...call: readonly string[]])[] = [
  ["glob.match", '"$"', "[]", '""'],
  ["glob.match", '"{a"', "[]", '"b"'],
  ["glob.match", '"a\\\\"', "[]", '"a"'],
  ["glob.match", '"?"', "null", '"\\n"'],
  ["regex.match", '"\\\\C"', '"a"'],
];
