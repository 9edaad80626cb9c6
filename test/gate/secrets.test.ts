/** Values that may be secret lie in the git store and in the objects of releases, and nowhere else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deployment, document, policy } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld } from "./gate-world.ts";

const SECRET = "hunter22-hunter22";
const FORMS = [SECRET, Buffer.from(SECRET).toString("base64").replace(/=+$/, "")];
/** A rule that tells what it must not: what rules said is remembered before it is masked. */
const TELLING = policy("telling", `warn contains {"message": input.pod.containers[_].spec.env[_].value}`);

function holders(world: World): readonly string[] {
  return ["data", "home", "channel"]
    .flatMap((folder) => world.files(folder))
    .filter((file) => !file.startsWith("data/git/"))
    .filter((file) => FORMS.some((form) => readFileSync(join(world.folder, file)).includes(form)));
}

test("the value of a plain Secret that is not released lies neither among the gate's objects nor in a cache", async (t) => {
  const world = await makeGateWorld(t);
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "apps" },
    stringData: { p: SECRET },
  };
  world.push({ files: { "clusters/prod/secret.yaml": document(secret) } });
  assert.deepEqual(await land(world), [["deny", "release-plain-secret", null]]);
  assert.ok(
    world.files("home").some((file) => file.includes("/renders/")),
    "something is remembered",
  );
  assert.deepEqual(holders(world), []);
});

test("a value that a rule repeats lies in the objects of the release only", async (t) => {
  const world = await makeGateWorld(t, { files: { "policies/telling.rego": TELLING } });
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { env: { TOKEN: SECRET } }) } });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  assert.ok(holders(world).length > 0);
  for (const file of holders(world)) assert.match(file, /^(?:data\/objects|channel\/releases\/1\/objects)\//);
});
