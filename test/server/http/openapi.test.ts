import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openApiDocument } from "../../../src/server/http/openapi.ts";
import { ROUTES } from "../../../src/server/http/routes.ts";

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as {
  openapi: string;
  paths: Record<
    string,
    Record<string, { operationId: string; parameters: { name: string; in: string }[]; responses: object }>
  >;
};

function references(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === "$ref" ? [String(item)] : references(item)));
}

const OTHERS = ["alertmanager", "hint", "github-hint", "gitlab-hint", "gitea-hint", "approval", "report"];

describe("the OpenAPI document", () => {
  it("has every route of the list once, and no other", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    const expected = ROUTES.map(({ id, method, path }) => `${method} ${path.replace("+}", "}")} ${id}`);
    assert.deepEqual(operations.sort(), expected.sort());
  });

  it("describes each parameter that a path has", () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(methods))
        assert.deepEqual(
          parameters.filter((one) => one.in === "path").map(({ name }) => name),
          named,
          path,
        );
    }
  });

  it("refers to nothing that it does not hold", () => {
    const all = references(document);
    assert.ok(
      all.some((one) => one.includes("/Shared")),
      "one schema at least refers to itself",
    );
    for (const reference of all) {
      const found = reference
        .split("/")
        .slice(1)
        .reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document);
      assert.notEqual(found, undefined, reference);
    }
    assert.ok(!JSON.stringify(document).includes("$defs"));
  });

  it("lets no body have keys that it does not name, but for what others send", () => {
    for (const { id, body } of ROUTES.filter((route) => route.body !== null && !OTHERS.includes(route.id)))
      assert.equal(body?.safeParse({ "made-up": 1 }).success, false, id);
  });
});
