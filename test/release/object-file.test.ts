import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isObjectFile, objectFile, objectName } from "../../src/release/object-file.ts";

const identity = fc.record({
  group: fc.oneof(fc.string(), fc.constantFrom("", "apps", "batch", "..", "a_b")),
  kind: fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom("ConfigMap", "configmap", "_")),
  namespace: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "shop", "../..", "%2f")),
  name: fc.oneof(
    fc.string({ minLength: 1, maxLength: 300, unit: "binary" }),
    fc.constantFrom("web", "Web", "a/b", "\u0000"),
  ),
});

test("an object's file name is its identity, percent-encoded", () => {
  const id = { group: "apps", kind: "Deployment", namespace: "shop", name: "web" };
  assert.equal(objectFile(id), "apps_%44eployment_shop_web");
  assert.equal(
    objectFile({ ...id, group: "", kind: "ConfigMap", namespace: "", name: "a_b/é" }),
    "_%43onfig%4dap__a%5fb%2f%c3%a9",
  );
});

test("every identity has a name of our form, without a path, a capital letter or a dot name", () => {
  fc.assert(
    fc.property(identity, (id) => {
      const file = objectFile(id);
      assert.ok(isObjectFile(file), file);
      assert.match(file, /^[a-z0-9.%_-]{1,200}$/);
      assert.doesNotMatch(file, /^\.+$/);
    }),
  );
});

test("two identities never share a name, not on a file system that folds case either", () => {
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      const same = a.group === b.group && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
      assert.equal(objectFile(a).toLowerCase() === objectFile(b).toLowerCase(), same);
    }),
    {
      examples: [
        [
          { group: "", kind: "A_B", namespace: "", name: "c" },
          { group: "", kind: "A", namespace: "B", name: "c" },
        ],
      ],
    },
  );
});

test("a name over 200 bytes is hashed, one of 200 is not", () => {
  const id = { group: "", kind: "k", namespace: "", name: "n".repeat(196) };
  assert.equal(objectFile(id).length, 200);
  assert.match(objectFile({ ...id, name: "n".repeat(197) }), /^sha256-[0-9a-f]{64}$/);
});

for (const name of [
  "",
  ".",
  "..",
  "../etc/passwd",
  "a_b_c",
  "a_b_c_d_e",
  "_k__",
  "__ns_n",
  "_K__n",
  "_%4Bind__n",
  "_%6b__n",
  "_k__%",
  "_k__%4",
  "_k__%ff",
  "_k__a/b",
  "_k__a\u0000",
  "_k__a\n",
  "sha256-00",
  `sha256-${"A".repeat(64)}`,
  `_k__${"n".repeat(197)}`,
]) {
  test(`refuses ${JSON.stringify(name.slice(0, 20))} as an object's file name`, () =>
    assert.equal(isObjectFile(name), false));
}

test("an object without a name, or with half a character, has no file name", () => {
  const id = { group: "", kind: "ConfigMap", namespace: "", name: "web" };
  for (const bad of [{ name: "" }, { kind: "" }, { name: "\ud800" }]) {
    assert.throws(() => objectFile({ ...id, ...bad }), { code: "internal" });
  }
});

test("says of a file which object it is, and of any other file only its name", () => {
  assert.equal(
    objectName(objectFile({ group: "apps", kind: "Deployment", namespace: "shop", name: "web" })),
    "Deployment/shop/web",
  );
  assert.equal(objectName(objectFile({ group: "", kind: "Namespace", namespace: "", name: "shop" })), "Namespace/shop");
  for (const file of [`sha256-${"0".repeat(64)}`, "../up", "a_b_c_d_e", "_%53ervice__", "notes.txt"])
    assert.equal(objectName(file), file);
});
