/** The examples are run as their README says, in a copy; and a change to them is checked as a colleague would. */
import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { checkSchema } from "../../src/gate/json/schemas/check.ts";
import { makeSshKey } from "../cli/ssh-key.ts";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../examples");
const STAGING = "clusters/staging/web.yaml";

function copy(t: TestContext): string {
  const folder = tempFolder(t);
  cpSync(EXAMPLES, folder, { recursive: true });
  return folder;
}

test("every command of the examples' README works in a copy of them", async (t) => {
  const folder = copy(t);
  const [, block = ""] = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(EXAMPLES, "README.md"), "utf8")) ?? [];
  const lines = block.trim().split("\n");
  assert.ok(lines.length >= 6);
  for (const line of lines) {
    const [program, ...args] = line.split(" ");
    const { code, stdout, stderr } = await runSluice(args, { cwd: folder });
    assert.deepEqual([program, code], ["sluice", 0], `${line}\n${stdout}${stderr}`);
  }
});

/** The example's repository with a change to staging that ada signed. */
async function change(t: TestContext, edit: (manifest: string) => string) {
  const folder = copy(t);
  const ada = makeSshKey(folder, "ada");
  const shop = await repository(t, { path: join(folder, "shop") });
  const author = "Ada <ada@example.com>";
  shop.write({ "trust/people.yaml": shop.read("trust/people.yaml").replace(/ssh-ed25519 \S+ ada/, ada.line) });
  shop.commit({ signWith: ada.file, author });
  shop.branch("change");
  shop.commit({ files: { [STAGING]: edit(shop.read(STAGING)) }, signWith: ada.file, author });
  const args = ["check", "--target", "staging", "--base", "main", "--format", "json"];
  const { code, stdout, stderr } = await runSluice(args, { cwd: shop.path });
  assert.equal(stderr, "");
  const { authority, targets } = checkSchema.parse(JSON.parse(stdout));
  return { code, authority, target: targets[0] };
}

test("a signed change to the example's staging is approved in a preview", async (t) => {
  const { code, authority, target } = await change(t, (text) => text.replace("replicas: 1", "replicas: 2"));
  assert.deepEqual([code, authority, target?.verdict, target?.objects.update], [0, "preview", "allow", 1]);
});

test("an image from elsewhere is denied there by the example's own rule, with its place", async (t) => {
  const { code, target } = await change(t, (text) => text.replace("registry.example/", "mirror.example/"));
  assert.deepEqual(
    [code, target?.findings.map(({ rule, position }) => [rule, position?.file, position?.line])],
    [1, [["shop-registry", STAGING, 14]]],
  );
});
