package main

// strictBuiltins are the built-ins that OPA compiles into a module and that can fail there, which nobody would see: the
// call has no value, and the rule that makes it says nothing. In files with strictBuiltinErrors it is an error. The value
// is a condition over the operands a0, a1 and so on under which OPA's call has no value although nothing failed; "" is
// none.
var strictBuiltins = map[string]string{
	"abs":                              "",
	"all":                              "",
	"and":                              "",
	"any":                              "",
	"array.concat":                     "",
	"array.flatten":                    "",
	"array.reverse":                    "",
	"array.slice":                      "",
	"base64.decode":                    "",
	"base64.encode":                    "",
	"base64url.decode":                 "",
	"base64url.encode":                 "",
	"bits.and":                         "",
	"bits.lsh":                         "",
	"bits.negate":                      "",
	"bits.or":                          "",
	"bits.rsh":                         "",
	"bits.xor":                         "",
	"ceil":                             "",
	"concat":                           "",
	"contains":                         "",
	"count":                            "",
	"div":                              "",
	"endswith":                         "",
	"floor":                            "",
	"format_int":                       "",
	"glob.match":                       "",
	"graph.reachable":                  "",
	"indexof":                          "",
	"intersection":                     "",
	"json.filter":                      "",
	"json.marshal":                     "",
	"json.remove":                      "",
	"json.unmarshal":                   "",
	"lower":                            "",
	"max":                              "is_empty(a0)",
	"min":                              "is_empty(a0)",
	"minus":                            "",
	"mul":                              "",
	"net.cidr_contains":                "",
	"net.cidr_intersects":              "",
	"net.cidr_overlap":                 "",
	"numbers.range":                    "",
	"object.filter":                    "",
	"object.get":                       "",
	"object.keys":                      "",
	"object.remove":                    "",
	"object.union":                     "",
	"object.union_n":                   "",
	"or":                               "",
	"plus":                             "",
	"product":                          "",
	"re_match":                         "",
	"regex.find_all_string_submatch_n": "",
	"regex.match":                      "",
	"rem":                              "",
	"replace":                          "",
	"round":                            "",
	"set_diff":                         "",
	"sort":                             "",
	"split":                            "",
	"startswith":                       "",
	"strings.replace_n":                "",
	"strings.reverse":                  "",
	"substring":                        "",
	"sum":                              "",
	"to_number":                        "",
	"trim":                             "",
	"trim_left":                        "",
	"trim_prefix":                      "",
	"trim_right":                       "",
	"trim_space":                       "",
	"trim_suffix":                      "",
	"union":                            "",
	"upper":                            "",
}

// hostAnswers are the built-ins of a module whose answer is not that of OPA's evaluator, or that fail where it does not or
// the other way round, or never end: there the host is asked. The value is the condition over the operands under which it
// is; true is always.
var hostAnswers = map[string]string{
	"base64.decode":       "true",
	"base64.is_valid":     "true",
	"base64url.decode":    "true",
	"concat":              "is_set(a1)", // joined in another order
	"format_int":          "floor(a0) != a0",
	"indexof":             `a1 == ""`,
	"json.is_valid":       "true",
	"json.marshal":        "true",
	"json.unmarshal":      "true",
	"net.cidr_contains":   "is_unusual(a0, a1)",
	"net.cidr_intersects": "is_unusual(a0, a1)",
	"net.cidr_overlap":    "is_unusual(a0, a1)",
	"object.union_n":      "not is_array(a0)",
	"replace":             `a1 == ""`, // never ends
	"to_number":           "is_exponential(a0)",
}

// strictAnswers are what OPA's evaluator answers where its module wrongly has nothing.
var strictAnswers = map[string]string{
	"object.union_n": "{} { a0 == [] }",
}

const (
	neverFails = "has an answer for every operand"
	noFunction = "is no function of a module: the compiler takes it out, or turns it into something else"
)

// unwrappedBuiltins stand in a module too, or are no functions, and are left as they are, for the reason.
var unwrappedBuiltins = map[string]string{
	"assign":                   noFunction,
	"base64.is_valid":          neverFails,
	"eq":                       noFunction,
	"equal":                    neverFails,
	"gt":                       neverFails,
	"gte":                      neverFails,
	"internal.member_2":        neverFails,
	"internal.member_3":        neverFails,
	"internal.print":           noFunction,
	"internal.template_string": neverFails,
	"internal.test_case":       noFunction,
	"is_array":                 neverFails,
	"is_boolean":               neverFails,
	"is_null":                  neverFails,
	"is_number":                neverFails,
	"is_object":                neverFails,
	"is_set":                   neverFails,
	"is_string":                neverFails,
	"json.is_valid":            neverFails,
	"lt":                       neverFails,
	"lte":                      neverFails,
	"neq":                      neverFails,
	"print":                    noFunction,
	"regex.is_valid":           neverFails,
	"rego.metadata.chain":      noFunction,
	"rego.metadata.rule":       noFunction,
	"type_name":                neverFails,
	"walk":                     neverFails,
}
