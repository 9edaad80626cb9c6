import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonicalJson } from "../../src/lib/canonical.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { renderTarget } from "../../src/render/render.ts";
import { resourceName } from "../../src/render/resource.ts";
import { configMap, render, request, type TestFile } from "./sources.ts";

async function names(files: Readonly<Record<string, string | TestFile>>, path?: string): Promise<string[]> {
  const rendered = await render(files, path);
  assert.deepEqual(rendered.failures, []);
  return rendered.resources.map((resource) => resourceName(resource.id));
}

type Place = readonly [code: string, file: string, line: number | null, column: number | null];

async function refusals(files: Readonly<Record<string, string | TestFile>>, path?: string): Promise<Place[]> {
  const { failures } = await render(files, path);
  return failures.map(({ code, file, line, column }) => [code, file, line, column]);
}

describe("a plain folder", () => {
  test("renders every document of every manifest below the path, sorted by identity", async () => {
    const files = {
      "app/b.yaml": `# first\n---\n${configMap("one", "data: {a: b}\n")}---\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n`,
      "app/deep/er/a.yml": configMap("zero"),
      "app/c.json": `{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:admin"}}`,
      "app2/x.yaml": configMap("elsewhere"),
      "application.yaml": configMap("elsewhere"),
    };
    const rendered = await render(files);
    assert.deepEqual(rendered.failures, []);
    assert.deepEqual(
      rendered.resources.map((resource) => [resourceName(resource.id), resource.id.group, resource.origin]),
      [
        ["ConfigMap/one", "", { file: "app/b.yaml", line: 3, document: 0, at: "", tool: "plain" }],
        ["ConfigMap/zero", "", { file: "app/deep/er/a.yml", line: 1, document: 0, at: "", tool: "plain" }],
        ["Deployment/shop/web", "apps", { file: "app/b.yaml", line: 10, document: 2, at: "", tool: "plain" }],
        [
          "ClusterRole/system:admin",
          "rbac.authorization.k8s.io",
          { file: "app/c.json", line: 1, document: 0, at: "", tool: "plain" },
        ],
      ],
    );
    for (const { object, canonical, sha256 } of rendered.resources) {
      assert.equal(canonical, canonicalJson(object));
      assert.equal(sha256, sha256Hex(canonical));
    }
  });

  test("invents no namespace, and keeps the one that is written", async () => {
    const { resources } = await render({ "app/a.yaml": configMap("x", "  namespace:\n") });
    assert.equal(resources[0]?.id.namespace, "");
  });

  test("is found by its path with or without dots and slashes; a path may be one file or the whole repository", async () => {
    const files = { "app/a.yaml": configMap("a"), "b.yaml": configMap("b") };
    assert.deepEqual(await names(files, "./app/"), ["ConfigMap/a"]);
    assert.deepEqual(await names(files, "app/a.yaml"), ["ConfigMap/a"]);
    assert.deepEqual(await names(files, "."), ["ConfigMap/a", "ConfigMap/b"]);
  });

  test("that is empty renders nothing and fails nothing: the caller refuses it", async () => {
    assert.deepEqual(await render({ "other/a.yaml": configMap("a") }), { resources: [], failures: [] });
    assert.deepEqual(await render({ "app/a.yaml": "# nothing\n" }), { resources: [], failures: [] });
  });
});

describe("lists", () => {
  const item = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;

  test("are flattened, lists of lists too, with the place of each item", async () => {
    const text = `apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\nitems:\n- ${item("a")}\n- {apiVersion: v1, kind: ConfigMapList, items: [${item("b")}]}\n`;
    const { resources, failures } = await render({ "app/l.yaml": text });
    assert.deepEqual(failures, []);
    assert.deepEqual(
      resources.map((resource) => resource.origin.at),
      ["/items/0", "/items/1/items/0"],
    );
  });

  test("a kind that only ends like one is an object", async () => {
    assert.deepEqual(await names({ "app/a.yaml": "apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: a}\n" }), [
      "AllowList/a",
    ]);
  });

  for (const [what, text] of [
    [
      "an object with items at its top, which kubectl would apply instead of it",
      configMap("a", `items: [${item("b")}]\n`),
    ],
    ["an object whose items is empty", configMap("a", "items: []\n")],
    ["a list without a list", "apiVersion: v1\nkind: List\nitems: {a: b}\n"],
    ["a list with a name", `apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: [${item("b")}]\n`],
    ["a list with a field that would be lost", `apiVersion: v1\nkind: List\nspec: {}\nitems: [${item("b")}]\n`],
  ] as const) {
    test(`${what} is refused`, async () => {
      assert.deepEqual(
        (await refusals({ "app/a.yaml": text })).map(([code]) => code),
        ["list-ambiguous"],
      );
    });
  }

  test("a field that lists do not have is refused at its place", async () => {
    const text = `apiVersion: v1\nkind: List\nitems: []\nspec: {}\n`;
    assert.deepEqual(await refusals({ "app/a.yaml": text }), [["list-ambiguous", "app/a.yaml", 4, 1]]);
  });

  test("an item that is no object is refused at its place", async () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- ${item("a")}\n- text\n`;
    assert.deepEqual(await refusals({ "app/a.yaml": text }), [["not-an-object", "app/a.yaml", 5, 3]]);
  });
});

describe("what is no object", () => {
  const CASES: readonly (readonly [string, string, string, number, number])[] = [
    ["a text", "just words\n", "not-an-object", 1, 1],
    ["a list at the top", "- a\n", "not-an-object", 1, 1],
    ["an explicit null", "--- # x\nnull\n", "not-an-object", 2, 1],
    ["values of a chart", "# values\nimage: web\n", "not-an-object", 2, 1],
    ["no kind", "apiVersion: v1\nmetadata: {name: a}\n", "not-an-object", 1, 1],
    ["no name", "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n", "not-an-object", 3, 1],
    ["a name that is a number", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: 12\n", "not-an-object", 4, 3],
    [
      "a namespace that is a list",
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: []\n",
      "not-an-object",
      5,
      3,
    ],
    ["metadata that is a text", "apiVersion: v1\nkind: Pod\nmetadata: a\n", "not-an-object", 3, 1],
    ["a name that climbs", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: ../../etc\n", "identity-hostile", 4, 3],
    ["a name with a NUL", 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "a\\0b"\n', "identity-hostile", 4, 3],
    ["a name with a line end", 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "a\\nb"\n', "identity-hostile", 4, 3],
    [
      "a name with a line end at its end",
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "a\\n"\n',
      "identity-hostile",
      4,
      3,
    ],
    ["a name of 4 KB", `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${"a".repeat(4096)}\n`, "identity-hostile", 4, 3],
    ["an empty name", 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: ""\n', "identity-hostile", 4, 3],
    [
      "a namespace with a slash",
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: a/b\n",
      "identity-hostile",
      5,
      3,
    ],
    [
      "a namespace of an object that has none",
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: a\n  namespace: apps\n",
      "namespace-claimed",
      5,
      3,
    ],
    ["a kind with a slash", "apiVersion: v1\nkind: Po/d\nmetadata:\n  name: a\n", "identity-hostile", 2, 1],
    [
      "a kind with look-alike letters",
      "apiVersion: v1\nkind: Sеcret\nmetadata:\n  name: a\n",
      "identity-hostile",
      2,
      1,
    ],
    ["a group with capitals", "apiVersion: Apps/v1\nkind: Pod\nmetadata:\n  name: a\n", "identity-hostile", 1, 1],
    ["a version with a slash", "apiVersion: a/b/c\nkind: Pod\nmetadata:\n  name: a\n", "identity-hostile", 1, 1],
    ["an empty version", "apiVersion: apps/\nkind: Pod\nmetadata:\n  name: a\n", "identity-hostile", 1, 1],
  ];
  for (const [what, text, code, line, column] of CASES) {
    test(`${what} is ${code}`, async () => {
      assert.deepEqual(await refusals({ "app/a.yaml": text }), [[code, "app/a.yaml", line, column]]);
    });
  }

  test("a kind of the same name in another group may have a namespace", async () => {
    const text = "apiVersion: shop.example/v1\nkind: Node\nmetadata:\n  name: a\n  namespace: apps\n";
    assert.deepEqual(await refusals({ "app/a.yaml": text }), []);
  });

  test("one bad document does not hide the good ones, nor they it", async () => {
    const rendered = await render({ "app/a.yaml": `${configMap("a")}---\nx: 1\n---\n${configMap("b")}` });
    assert.deepEqual(
      rendered.resources.map((resource) => resource.id.name),
      ["a", "b"],
    );
    assert.deepEqual(
      rendered.failures.map(({ code, line }) => [code, line]),
      [["not-an-object", 6]],
    );
  });

  test("a file of 5,000 bad documents is refused without a failure for each", async () => {
    assert.equal((await refusals({ "app/a.yaml": "---\nx: 1\n".repeat(5_000) })).length, 100);
  });
});

describe("two objects with one identity", () => {
  test("are refused, with both places in the message", async () => {
    const { failures, resources } = await render({
      "app/a.yaml": configMap("x"),
      "app/b.yaml": `---\n${configMap("x")}`,
    });
    assert.equal(resources.length, 1);
    assert.deepEqual(
      failures.map(({ code, file, line }) => [code, file, line]),
      [["duplicate-identity", "app/b.yaml", 2]],
    );
    assert.match(failures[0]?.message ?? "", /ConfigMap\/x stands twice: app\/a\.yaml:1 and app\/b\.yaml:2/);
  });

  test("are one identity in two versions of a group, and two in two groups", async () => {
    const object = (apiVersion: string) => `apiVersion: ${apiVersion}\nkind: Ingress\nmetadata: {name: x}\n`;
    const same = { "app/a.yaml": object("networking.k8s.io/v1"), "app/b.yaml": object("networking.k8s.io/v1beta1") };
    assert.deepEqual(
      (await refusals(same)).map(([code]) => code),
      ["duplicate-identity"],
    );
    assert.equal(
      (await names({ "app/a.yaml": object("networking.k8s.io/v1"), "app/b.yaml": object("extensions/v1beta1") }))
        .length,
      2,
    );
  });
});

describe("other sources and other files", () => {
  for (const [file, tool] of [
    ["app/kustomization.yaml", "Kustomize"],
    ["app/kustomization.yml", "Kustomize"],
    ["app/base/Kustomization", "Kustomize"],
    ["app/Chart.yaml", "Helm"],
    ["app/main.tf", "Terraform"],
    ["app/main.tf.json", "Terraform"],
  ] as const) {
    test(`${file} is refused as ${tool}, even when ignored`, async () => {
      const asked = { ...request({ "app/a.yaml": configMap("a"), [file]: "{}" }), isIgnored: () => true };
      const { failures, resources } = await renderTarget(asked);
      assert.deepEqual(resources, []);
      assert.deepEqual(
        failures.map((failure) => [failure.code, failure.file]),
        [["not-supported", file]],
      );
      assert.ok(failures[0]?.message.includes(tool));
    });
  }

  test("a file of another kind is refused unless it is ignored", async () => {
    const files = { "app/a.yaml": configMap("a"), "app/README.md": "# hi\n", "app/run.sh": "rm -rf /\n" };
    assert.deepEqual(
      (await refusals(files)).map(([code, file]) => [code, file]),
      [
        ["path-not-rendered", "app/README.md"],
        ["path-not-rendered", "app/run.sh"],
      ],
    );
    const asked = { ...request(files), isIgnored: (path: string) => path.endsWith(".md") };
    assert.deepEqual(
      (await renderTarget(asked)).failures.map((failure) => failure.file),
      ["app/run.sh"],
    );
  });

  test("ignoring a manifest lets values pass, but never hides an object or a broken file", async () => {
    const files = {
      "app/values.yaml": "image: web\n",
      "app/secret.yaml": configMap("hidden"),
      "app/half.yaml": "kind: Pod\n",
      "app/broken.yaml": "a: [\n",
    };
    const { resources, failures } = await renderTarget({ ...request(files), isIgnored: () => true });
    assert.deepEqual(
      resources.map((resource) => resource.id.name),
      ["hidden"],
    );
    assert.deepEqual(
      failures.map((failure) => [failure.code, failure.file]),
      [
        ["yaml-malformed", "app/broken.yaml"],
        ["not-an-object", "app/half.yaml"],
      ],
    );
  });

  test("governance files inside a target's path are no part of it", async () => {
    const asked = request({ "sluice.yaml": "version: 1\n", "policies/a.rego": "x", "app/a.yaml": configMap("a") }, ".");
    const isGovernance = (path: string) => path === "sluice.yaml" || path.startsWith("policies/");
    const { resources, failures } = await renderTarget({ ...asked, isGovernance });
    assert.deepEqual([resources.length, failures], [1, []]);
    assert.equal((await renderTarget(asked)).failures.length, 2);
  });

  test("a symbolic link or submodule is refused: in the path, as the path, above the path, ignored manifests too", async () => {
    const link: TestFile = { mode: "120000", content: "../secret.yaml" };
    const module: TestFile = { mode: "160000", content: "" };
    const found = await refusals({ "app/l.yaml": link, "app/m": module });
    assert.deepEqual(
      found.map(([code, file]) => [code, file]),
      [
        ["render-symlink", "app/l.yaml"],
        ["render-symlink", "app/m"],
      ],
    );
    assert.deepEqual((await refusals({ app: link }))[0]?.[0], "render-symlink");
    assert.deepEqual((await refusals({ clusters: link }, "clusters/prod"))[0]?.slice(0, 2), [
      "render-symlink",
      "clusters",
    ]);
    assert.deepEqual(await refusals({ cluster: link }, "clusters/prod"), []);
    const ignored = await renderTarget({
      ...request({ "app/l.yaml": link, "app/CLAUDE.md": link }),
      isIgnored: () => true,
    });
    assert.deepEqual(
      ignored.failures.map((failure) => failure.file),
      ["app/l.yaml"],
    );
  });
});

describe("hostile files", () => {
  test("a file that git refuses as too large is a failure of that file, and the others render", async () => {
    const rendered = await render({
      "app/a.yaml": configMap("a"),
      "app/big.yaml": { content: null },
      "app/big.json": { content: null },
    });
    assert.deepEqual(
      rendered.resources.map((resource) => resource.id.name),
      ["a"],
    );
    assert.deepEqual(
      rendered.failures.map(({ code, file, line }) => [code, file, line]),
      [
        ["json-too-large", "app/big.json", 1],
        ["yaml-too-large", "app/big.yaml", 1],
      ],
    );
  });

  test("any other error of git is not swallowed", async () => {
    const asked = {
      ...request({ "app/a.yaml": "" }),
      read: () => Promise.reject(new SluiceError("object-corrupt", "x")),
    };
    await assert.rejects(renderTarget(asked), { code: "object-corrupt" });
  });

  test("files beyond 8 MiB each and 64 MiB together are refused", async () => {
    assert.deepEqual(await refusals({ "app/a.yaml": `a: ${"x".repeat(8 * 1024 * 1024)}` }), [
      ["yaml-too-large", "app/a.yaml", 1, 1],
    ]);
    const comment = `#${"x".repeat(8 * 1024 * 1024 - 2)}\n`;
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`app/${i}.yaml`, comment]));
    assert.deepEqual(
      (await refusals(many)).map(([code, file]) => [code, file]),
      [["render-too-large", "app/8.yaml"]],
    );
  });

  test("bytes that are no UTF-8 are refused with their line", async () => {
    const content = Uint8Array.from([0x61, 0x3a, 0x0a, 0x62, 0xff]);
    assert.deepEqual(await refusals({ "app/a.yaml": { content }, "app/b.json": { content } }), [
      ["yaml-malformed", "app/a.yaml", 2, 2],
      ["json-malformed", "app/b.json", 2, 2],
    ]);
  });

  test("JSON is read strictly", async () => {
    const files = {
      "app/a.json": '{"a": 1,\n"a": 2}',
      "app/b.json": "[1e400]",
      "app/c.json": "{} x",
      "app/d.json": '{"a":\n"\\ud83d\\ude00"}',
      "app/e.json": "[".repeat(50_000),
    };
    assert.deepEqual(await refusals(files), [
      ["json-duplicate-key", "app/a.json", 2, 1],
      ["json-number", "app/b.json", 1, 2],
      ["json-malformed", "app/c.json", 1, 4],
      ["not-an-object", "app/d.json", 1, 1],
      ["json-too-deep", "app/e.json", 1, 101],
    ]);
  });

  test("a workload whose containers are no list is refused where they stand", async () => {
    const text =
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers: {a: {image: x}}\n";
    assert.deepEqual(await refusals({ "app/a.yaml": text }), [["workload-malformed", "app/a.yaml", 7, 7]]);
  });
});
