/** Schemas, templates, patterns and certificates: the same calls to our host and to OPA's own evaluator. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../support/temp.ts";
import { type Call, compareAnswers } from "./opa-answers.ts";

const DOCUMENTS = [
  ...['{"id": 5}', '{"id": "foo"}', '{"id": 1.5}', '{"id": null}', '{"id": [1, 1.0]}', '{"id": {"a": 1}}', "{}"],
  ...['{"id": "2024-01-02"}', '{"id": 1000000}', '"[1, \\"a\\", null]"', '"{bad"', '"5"'],
];
const SCHEMAS = [
  ...['{"type": "integer"}', '{"type": "unknown"}', '{"type": ["object", "array"]}', '{"type": ["object", "object"]}'],
  ...['{"properties": {"id": {"type": "integer"}}, "required": ["id", "x"]}', '{"not": {}}', '{"type": 5}'],
  ...['{"properties": {"id": {"minimum": 2, "maximum": 4}}}', '{"properties": {"id": {"multipleOf": 0.5}}}'],
  ...['{"properties": {"id": {"minimum": 5, "exclusiveMinimum": true}}}', '{"exclusiveMinimum": true}'],
  ...['{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 3}', '{"multipleOf": 0}'],
  ...['{"properties": {"id": {"maximum": 123456.789}}}', '{"properties": {"id": {"exclusiveMaximum": 1e-5}}}'],
  ...['{"properties": {"id": {"enum": [5, "a", {"b": 1}]}}}', '{"enum": [1, 1.0]}', '{"enum": []}'],
  ...['{"properties": {"id": {"const": 5.0}}}', '{"properties": {"id": {"format": "date"}}}', '{"pattern": "("}'],
  ...['{"properties": {"id": {"pattern": "^f"}}}', '{"properties": {"id": {"minLength": 4, "maxLength": 5}}}'],
  ...['{"minLength": -1}', '{"minLength": 3, "maxLength": 2}', '{"minItems": 4}', '{"items": {"type": "string"}}'],
  ...['{"properties": {"id": {"uniqueItems": true, "contains": {"type": "string"}}}}', '{"items": 5}'],
  ...['{"items": [{"type": "integer"}], "additionalItems": false}', '{"additionalProperties": false}'],
  ...['{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}', '{"oneOf": [{"type": "object"}, {"minProperties": 1}]}'],
  ...['{"allOf": [{"type": "object"}, {"required": ["q"]}]}', '{"patternProperties": {"^i": {"type": "boolean"}}}'],
  ...[
    '{"propertyNames": {"maxLength": 1}}',
    '{"dependencies": {"id": ["x"]}}',
    '{"dependencies": {"id": {"not": {}}}}',
  ],
  ...['{"if": {"required": ["id"]}, "then": {"required": ["t"]}, "else": {"required": ["e"]}}', '{"if": 5}'],
  ...['{"$ref": "#/definitions/a", "definitions": {"a": {"required": ["r"]}}}', '{"$ref": "#/definitions/zz"}'],
  ...['{"$id": "http://x.y/z", "definitions": {"a": {"$id": "i.json", "type": "array"}}, "$ref": "i.json"}', "[]"],
  ...['{"definitions": {"a": {"$id": "#foo", "type": "array"}}, "$ref": "#foo"}', '{"$ref": "other.json"}', '"{"'],
];
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  "date-time": ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05Z", "10:11:12.5", "2023-02-29"],
  email: ["a@b", "a", "Joe <a@b.c>", '"x y"@b.c', "a@b.", "a@[1.2.3.4]"],
  hostname: ["a.b", "-a", "a_b", "a.b."],
  ipv4: ["1.2.3.4", "01.2.3.4", "::1.2.3.4"],
  uri: ["http://a/b", "a/b", "a:b", "\\x"],
  "uri-template": ["/a/{b}", "/a/{b", "/a}b"],
  regex: ["a(", "a*"],
  "relative-json-pointer": ["0", "1/a", "01", "0#"],
};

test("a document held against a schema has OPA's answer", (t) =>
  compareAnswers(t, [
    ...SCHEMAS.map((schema): Call => ["json.verify_schema", schema]),
    ...SCHEMAS.flatMap((schema) => DOCUMENTS.map((document): Call => ["json.match_schema", document, schema])),
    ...Object.entries(FORMATS).flatMap(([format, texts]) =>
      texts.map(
        (text): Call => [
          "json.match_schema",
          JSON.stringify({ a: text }),
          `{"properties": {"a": {"format": "${format}"}}}`,
        ],
      ),
    ),
  ]));

const VARIABLES =
  '{"a": 1, "s": "x", "n": null, "l": [1, "b", null], "m": {"k": "v", "j": 2.5}, "t": true, "f": false, "e": "", "z": 0}';
const TEMPLATES = [
  ...[
    "{{.a}}",
    "{{ .s -}}  x",
    "a {{- .s}}",
    "{{.missing}} {{.n}}",
    "{{.n.x}}",
    "{{.missing.x}}",
    "{{.s.x}}",
    "{{.l}}{{.m}}",
  ],
  ...["{{if .z}}yes{{else}}no{{end}}", "{{if .e}}y{{else if .t}}t{{else}}n{{end}}", "{{range .l}}[{{.}}]{{end}}"],
  ...[
    "{{range $i, $e := .l}}{{$i}}={{$e}};{{end}}",
    "{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}",
    "{{range .a}}x{{end}}",
  ],
  ...[
    "{{range .n}}x{{else}}empty{{end}}",
    "{{range 3}}{{.}}{{end}}",
    "{{with .m}}{{.k}}{{end}}",
    '{{$x := .s}}{{$x = "y"}}{{$x}}',
  ],
  ...[
    "{{/* c */}}a",
    "{{- /* c */ -}} a",
    "{{len .l}} {{len .s}} {{len .m}} {{len .a}}",
    '{{index .l 1}} {{index .m "zz"}}',
  ],
  ...[
    "{{index .l 7}}",
    '{{printf "%s-%v" .s .a}}',
    '{{printf "%05d" 42}}',
    '{{.s | printf "%s!"}}',
    "{{print 1 2 .s 3 4}}",
  ],
  ...[
    '{{html "<a&"}}{{urlquery "a b&c"}}',
    '{{eq .s "x"}} {{ne .s "y"}} {{eq .a "1"}}',
    "{{eq .a 1}}",
    "{{lt 1 2}}{{ge 1.5 1.0}}",
  ],
  ...[
    "{{eq .n nil}}",
    "{{eq .l .l}}",
    "{{and .t .s}} {{or .f .s}} {{not .f}}",
    "{{and .f .s.x}}",
    "{{nope 1}}",
    "{{if}}x{{end}}",
  ],
  ...[
    "{{end}}",
    "{{if .t}}x",
    "{{.a",
    "{{$undefined}}",
    '{{range .l}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}',
    "{{break}}",
  ],
  ...[
    "{{slice .s 0 1}} {{slice .l 1}}",
    "{{slice .s 2 1}}",
    "{{`raw`}} {{1.50}} {{0x1f}} {{-3}}",
    "{{nil}}",
    "{{$.m.k}}",
    "{{(.m).k}}",
  ],
];

test("a template over Rego values says what Go's says", (t) =>
  compareAnswers(
    t,
    TEMPLATES.map((template): Call => ["strings.render_template", JSON.stringify(template), VARIABLES]),
  ));

const GLOBS = [
  "a.a.[0-9]+z",
  ".b.b2359825792*594823z",
  "[a-z]+",
  "[0-9]*",
  "pqrs]",
  "b.*",
  "[ab]+c",
  "[bc]*",
  "",
  ".*.*f",
  "a\\*",
];

test("two globs meet where OPA says so", (t) =>
  compareAnswers(
    t,
    [...GLOBS, "a*b*", "[a-", "+", "a**", "é+", "[a\\]]"].flatMap((a) =>
      GLOBS.map((b): Call => ["regex.globs_match", JSON.stringify(a), JSON.stringify(b)]),
    ),
  ));

/** All that a certificate can say to Go, made by openssl. */
const EXTENSIONS = `
[req]
distinguished_name=dn
prompt=no
[dn]
CN=x
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
[ca]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
nameConstraints=permitted;DNS:.example.com,permitted;email:example.com,excluded;IP:10.0.0.0/255.0.0.0,permitted;URI:.example.com
[leaf]
basicConstraints=CA:false
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth,1.2.3.4
subjectAltName=DNS:a.example.com,DNS:*.example.com,email:x@example.com,IP:1.2.3.4,IP:::1,URI:https://u@a.example.com/p?q
authorityKeyIdentifier=keyid
authorityInfoAccess=OCSP;URI:http://ocsp.example.com/,caIssuers;URI:http://ca.example.com/ca.der
crlDistributionPoints=URI:http://crl.example.com/a.crl
certificatePolicies=1.2.3.4.5
1.2.3.99=ASN1:UTF8String:own
`;

test("certificates, requests and keys are shown and verified as OPA does", async (t) => {
  const folder = tempFolder(t);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (...files: string[]) =>
    JSON.stringify(files.map((one) => readFileSync(join(folder, one), "utf8")).join(""));
  writeFileSync(join(folder, "c"), EXTENSIONS);
  const key = (name: string, ...how: string[]) => openssl("genpkey", ...how, "-out", name);
  key("root.key", "-algorithm", "RSA");
  key("ca.key", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
  key("leaf.key", "-algorithm", "ed25519");
  const about = ["-config", "c", "-days", "9000"];
  openssl("req", "-x509", "-key", "root.key", "-out", "root.pem", ...about, "-extensions", "root", "-subj", "/CN=Root");
  const signed = (name: string, issuer: string, subject: string, section: string) => {
    openssl("req", "-new", "-key", `${name}.key`, "-out", `${name}.csr`, "-config", "c", "-utf8", "-subj", subject);
    const by = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-days", "8000"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...by,
      "-out",
      `${name}.pem`,
      "-extfile",
      "c",
      "-extensions",
      section,
    );
  };
  signed("ca", "root", "/O=Example, Inc/CN=Intermediate", "ca");
  signed("leaf", "ca", "/C=DE/ST=Berlin/L=Berlin/O=A/OU=One/CN=Leaf é/serialNumber=42/emailAddress=a@b.c", "leaf");
  const chain = read("root.pem", "ca.pem", "leaf.pem");
  const verify = "crypto.x509.parse_and_verify_certificates";
  const certificates = "crypto.x509.parse_certificates";
  const options = ["{}", '{"DNSName": "zz.example.com"}', '{"DNSName": "q.zz.example.com"}', '{"DNSName": "9.9.9.9"}'];
  options.push(
    '{"CurrentTime": 1}',
    '{"KeyUsages": ["KeyUsageCodeSigning"]}',
    '{"KeyUsages": ["Nope"]}',
    '{"Other": 5}',
  );
  await compareAnswers(t, [
    ...["root", "ca", "leaf"].map((name): Call => [certificates, read(`${name}.pem`)]),
    ...["ca", "leaf"].map((name): Call => ["crypto.x509.parse_certificate_request", read(`${name}.csr`)]),
    ...["root", "ca", "leaf"].map((name): Call => ["crypto.x509.parse_rsa_private_key", read(`${name}.key`)]),
    ...["root", "ca", "leaf"].map((name): Call => ["crypto.parse_private_keys", read(`${name}.key`)]),
    ...["root", "ca", "leaf"].map(
      (name): Call => ["crypto.x509.parse_keypair", read(`${name}.pem`), read(`${name}.key`)],
    ),
    ["crypto.x509.parse_keypair", read("leaf.pem"), read("ca.key")],
    ...[chain, read("root.pem", "leaf.pem"), read("leaf.pem", "ca.pem", "root.pem")].map((one): Call => [verify, one]),
    ...options.map((one): Call => [`${verify}_with_options`, chain, one]),
    ...["", "x", "-----BEGIN", "YmFkc3RyaW5n"].map((text): Call => [certificates, JSON.stringify(text)]),
  ]);
});
