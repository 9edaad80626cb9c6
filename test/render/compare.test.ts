import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { compareResources } from "../../src/render/compare.ts";
import { type Resource, resourceName } from "../../src/render/resource.ts";
import { render } from "./sources.ts";

async function resources(values: Readonly<Record<string, string>>): Promise<readonly Resource[]> {
  const documents = Object.entries(values).map(
    ([name, value]) =>
      `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${name}"}, "data": {"v": ${JSON.stringify(value)}}}`,
  );
  const { resources: found, failures } = await render({
    "app/a.yaml": documents.map((text) => `---\n${text}\n`).join(""),
  });
  assert.deepEqual(failures, []);
  return found;
}

describe("a comparison", () => {
  test("names what is created, updated, deleted and unchanged, sorted by identity", async () => {
    const before = await resources({ same: "1", changed: "1", gone: "1" });
    const after = await resources({ fresh: "1", changed: "2", same: "1" });
    const changes = compareResources(before, after);
    assert.deepEqual(
      changes.map((change) => [
        resourceName(change.id),
        change.action,
        change.resource === null,
        change.previous === null,
      ]),
      [
        ["ConfigMap/changed", "update", false, false],
        ["ConfigMap/fresh", "create", false, true],
        ["ConfigMap/gone", "delete", true, false],
        ["ConfigMap/same", "unchanged", false, false],
      ],
    );
    assert.deepEqual(changes[0]?.previous?.["data"], { v: "1" });
  });

  test("does not mind the order of keys, but does mind a new version of the group", async () => {
    const object = (apiVersion: string, rest: string) => ({
      "app/a.yaml": `apiVersion: ${apiVersion}\nkind: X\n${rest}`,
    });
    const one = (await render(object("x.io/v1", "metadata: {name: a, labels: {b: c}}\n"))).resources;
    const turned = (await render(object("x.io/v1", "metadata: {labels: {b: c}, name: a}\n"))).resources;
    const newer = (await render(object("x.io/v2", "metadata: {name: a, labels: {b: c}}\n"))).resources;
    assert.deepEqual(
      compareResources(one, turned).map((change) => change.action),
      ["unchanged"],
    );
    assert.deepEqual(
      compareResources(one, newer).map((change) => change.action),
      ["update"],
    );
  });

  test("of equal sets is all unchanged, of anything with nothing all created or all deleted", async () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.string(), { maxKeys: 6, noNullPrototype: true }), async (values) => {
        const set = await resources(values);
        const actions = (before: readonly Resource[], after: readonly Resource[]) =>
          compareResources(before, after).map((change) => change.action);
        assert.deepEqual(
          actions(set, await resources(values)),
          set.map(() => "unchanged"),
        );
        assert.deepEqual(
          actions([], set),
          set.map(() => "create"),
        );
        assert.deepEqual(
          actions(set, []),
          set.map(() => "delete"),
        );
      }),
      { numRuns: 50 },
    );
  });
});
