import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RENDERERS } from "../../src/render/renderers.ts";

test("the list of renderers is the folder of renderers", () => {
  const folder = readdirSync(join(import.meta.dirname, "../../src/render/renderers"));
  assert.deepEqual(RENDERERS.map((renderer) => `${renderer.name}.ts`).sort(), folder.sort());
});
