import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { locate } from "../../src/lib/yaml-position.ts";

const YAML = `# a comment
apiVersion: v1
---
kind: Deployment
metadata: {name: web, "labels": {app/name: x, "a~b": y}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: "web:1"
          securityContext:
            privileged: true
        -
          name: sidecar
      volumes: &v [a, 'b']
      other: *v
text: |
  spec:
    template: no
`;
const JSON_TEXT = '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [{"name": "a"}, {"name":"b"}]\n\t}\n}\n';

const PLACES: readonly (readonly [pointer: string, line: number, column: number, exact: boolean])[] = [
  ["", 4, 1, true],
  ["/kind", 4, 1, true],
  ["/metadata/name", 5, 12, true],
  ["/metadata/labels", 5, 23, true],
  ["/metadata/labels/app~1name", 5, 34, true],
  ["/metadata/labels/a~0b", 5, 47, true],
  ["/spec/template/spec/containers", 9, 7, true],
  ["/spec/template/spec/containers/0", 10, 11, true],
  ["/spec/template/spec/containers/0/securityContext/privileged", 13, 13, true],
  ["/spec/template/spec/containers/1/name", 15, 11, true],
  ["/spec/template/spec/volumes/1", 16, 23, true],
  ["/spec/template/spec/containers/0/securityContext/runAsNonRoot", 12, 11, false],
  ["/spec/template/spec/containers/7/image", 9, 7, false],
  ["/spec/template/spec/containers/01", 9, 7, false],
  ["/spec/template/spec/other/0", 17, 7, false],
  ["/status", 4, 1, false],
  ["/kind/deeper", 4, 1, false],
];

describe("a finding's place", () => {
  for (const [pointer, line, column, exact] of PLACES) {
    test(`${JSON.stringify(pointer)} is ${line}:${column}${exact ? "" : ", the nearest parent"}`, () => {
      assert.deepEqual(locate(YAML, 1, pointer), { line, column, exact });
    });
  }

  test("is found in the right document", () => {
    assert.deepEqual(locate(YAML, 0, "/apiVersion"), { line: 2, column: 1, exact: true });
    assert.deepEqual(locate(YAML, 0, "/kind"), { line: 2, column: 1, exact: false });
    assert.deepEqual(locate("---\n---\na: 1\n", 1, "/a"), { line: 3, column: 1, exact: true });
  });

  test("is found in JSON, indented by tabs too, and after a byte order mark", () => {
    assert.deepEqual(locate(JSON_TEXT, 0, "/spec/containers/1/name"), { line: 4, column: 34, exact: true });
    assert.deepEqual(locate(`\ufeff${JSON_TEXT}`, 0, "/spec"), { line: 3, column: 2, exact: true });
  });

  test("is the beginning, not exact, when there is no such document or the text cannot be parsed", () => {
    assert.deepEqual(locate(YAML, 9, "/kind"), { line: 1, column: 1, exact: false });
    assert.deepEqual(locate("a: [", 0, "/a"), { line: 1, column: 1, exact: false });
    assert.deepEqual(locate("[".repeat(50_000), 0, "/0"), { line: 1, column: 1, exact: false });
    assert.deepEqual(locate("", 0, ""), { line: 1, column: 1, exact: false });
  });

  test("never throws, whatever the pointer", () => {
    const token = fc.oneof(
      fc.string(),
      fc.constantFrom("spec", "template", "containers", "0", "-1", "~", "~2", "__proto__", "length"),
    );
    const pointer = fc.oneof(
      fc.string(),
      fc.array(token).map((tokens) => tokens.map((part) => `/${part}`).join("")),
    );
    fc.assert(
      fc.property(pointer, fc.integer({ min: -2, max: 4 }), (text, document) => {
        const { line, column } = locate(YAML, document, text);
        assert.ok(line >= 1 && line <= YAML.split("\n").length && column >= 1);
      }),
      { numRuns: 1_000 },
    );
  });
});
