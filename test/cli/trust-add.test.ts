import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { trustAddSchema } from "../../src/cli/reports/schemas/people.ts";
import { trustListSchema } from "../../src/cli/reports/schemas.ts";
import { trustAdd } from "../../src/cli/trust-add.ts";
import { trustList } from "../../src/cli/trust-list.ts";
import { runHere } from "../support/in-process.ts";
import { GpgHome } from "../support/signing.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey, type TestKey } from "./ssh-key.ts";

interface Scene {
  readonly folder: string;
  readonly ada: TestKey;
  readonly nia: TestKey;
}

function scene(t: TestContext, people: (ada: string) => string = USUAL): Scene {
  const folder = tempFolder(t);
  const [ada, nia] = [makeSshKey(folder, "ada"), makeSshKey(folder, "nia")];
  mkdirSync(join(folder, "trust"));
  writeFileSync(join(folder, "trust/people.yaml"), people(ada.line));
  return { folder, ada, nia };
}

/** Comments, an odd order and an odd style, all of which stay. */
const USUAL = (ada: string) => `# who we are
change: {count: 1, roles: [security]}   # agreed in May
people:
    ada: {email: [ada@example.com], roles: [security], keys: [${ada}]}   # founder

    # the night shift
    jo:
        email: [jo@example.com]
        keys: []
# below: what the forge signs
robots:
    bot: {email: [bot@example.com], may: [image]}
`;

const peopleOf = ({ folder }: Scene): string => readFileSync(join(folder, "trust/people.yaml"), "utf8");

async function add(one: Scene, ...args: readonly string[]) {
  const run = await runHere(trustAdd, [...args, "--format", "json"], one.folder);
  return { ...run, report: run.stdout === "" ? null : trustAddSchema.parse(JSON.parse(run.stdout)) };
}

async function owner({ folder }: Scene, id: string) {
  const run = await runHere(trustList, ["--format", "json"], folder);
  return trustListSchema.parse(JSON.parse(run.stdout)).owners.find((one) => one.id === id);
}

test("another key of somebody who is listed needs nothing but the key", async (t) => {
  const one = scene(t);
  const { code, stderr } = await add(one, "ada", "--key", `${one.nia.file}.pub`);
  assert.deepEqual([code, stderr], [0, ""]);
  const ada = await owner(one, "ada");
  assert.deepEqual([ada?.emails, ada?.keys.length], [["ada@example.com"], 2]);
});

const NIA = ["--email", "Nia@example.com", "--role", "platform"];

test("trust add writes one entry at the end of people, says its line, and leaves every other line as it was", async (t) => {
  const one = scene(t);
  const before = peopleOf(one).split("\n");
  const { code, report, stderr } = await add(one, "nia", ...NIA, "--key", `${one.nia.file}.pub`);
  assert.deepEqual(
    [code, stderr, report?.file, report?.key.fingerprint],
    [0, "", "trust/people.yaml", one.nia.fingerprint],
  );
  const after = peopleOf(one).split("\n");
  const body = one.nia.line.split(" ").slice(0, 2).join(" ");
  const added = [
    "    nia:",
    "      email: [nia@example.com]",
    "      roles: [platform]",
    `      # ${one.nia.fingerprint}`,
    `      keys: ["${body} nia"]`,
  ];
  assert.deepEqual(after, [...before.slice(0, 9), ...added, ...before.slice(9)]);
  assert.equal(after[(report?.line ?? 0) - 1], added.at(-1));
  const nia = await owner(one, "nia");
  assert.deepEqual(
    [nia?.roles, nia?.keys[0]?.fingerprint, nia?.keys[0]?.isUsable],
    [["platform"], one.nia.fingerprint, true],
  );
});

test("trust add of somebody who is listed adds a key, in either style of list", async (t) => {
  const one = scene(t);
  for (const name of ["ada", "jo"]) {
    const key = makeSshKey(one.folder, `${name}-second`);
    const { code, report, stderr } = await add(one, name, "--email", `${name}@example.com`, "--key", `${key.file}.pub`);
    assert.deepEqual([code, report?.isNew, stderr], [0, false, ""]);
    assert.ok((await owner(one, name))?.keys.some(({ fingerprint }) => fingerprint === key.fingerprint));
    const [, body = ""] = key.line.split(" ");
    assert.ok(peopleOf(one).split("\n")[(report?.line ?? 0) - 1]?.includes(body));
  }
  assert.match(peopleOf(one), /\} {3}# founder\n\n {4}# the night shift\n/);
  const block = scene(
    t,
    (ada) => `people:\n  ada:\n    email: [ada@example.com]\n    keys:   # two\n      # old\n      - ${ada}\n`,
  );
  const { code, report } = await add(block, "ada", "--email", "ada@example.com", "--key", `${block.nia.file}.pub`);
  assert.deepEqual([code, report?.line, (await owner(block, "ada"))?.keys.length], [0, 5, 2]);
});

test("trust add refuses a key that another person has, and writes nothing", async (t) => {
  const one = scene(t);
  const before = peopleOf(one);
  const { code, stderr } = await add(one, "nia", ...NIA, "--key", `${one.ada.file}.pub`);
  assert.deepEqual([code, stderr.split("  ")[0]], [3, "trust-key-shared"]);
  assert.match(stderr, /is ada's already; nothing was written\./);
  assert.equal(peopleOf(one), before);
});

test("trust add refuses what it cannot do whole: a private key, other facts of somebody listed, a form without lines, a link", async (t) => {
  const one = scene(t);
  const key = `${one.nia.file}.pub`;
  const flow = scene(t, (ada) => `{people: {ada: {email: [ada@example.com], keys: ["${ada}"]}}}\n`);
  const linked = scene(t);
  mkdirSync(join(linked.folder, "real"));
  writeFileSync(join(linked.folder, "real/people.yaml"), "people: {}\n");
  writeFileSync(
    join(linked.folder, "sluice.yaml"),
    "version: 1\ntrust: elsewhere/\ntargets: {prod: {branch: main, path: prod}}\n",
  );
  symlinkSync("real", join(linked.folder, "elsewhere"));
  const cases: readonly (readonly [Scene, readonly string[]])[] = [
    [one, ["nia", ...NIA, "--key", one.nia.file]],
    [one, ["ada", "--email", "other@example.com", "--key", key]],
    [one, ["jo", "--email", "jo@example.com", "--role", "admin", "--key", key]],
    [one, ["no/name", ...NIA, "--key", key]],
    [one, ["nia", "--key", key]],
    [flow, ["nia", ...NIA, "--key", `${flow.nia.file}.pub`]],
    [linked, ["nia", ...NIA, "--key", `${linked.nia.file}.pub`]],
  ];
  for (const [where, args] of cases) {
    const before = peopleOf(where);
    const { code, stderr } = await add(where, ...args);
    assert.deepEqual([code, stderr.split("  ")[0]], [2, "usage"], `${args.join(" ")}: ${stderr}`);
    assert.equal(peopleOf(where), before);
  }
});

test("trust add of an OpenPGP key writes the key's file beside it, and an empty list of people is a beginning", async (t) => {
  const one = scene(t, () => "people: {}\n");
  const gpg = new GpgHome(t);
  const fingerprint = gpg.key("Nia <nia@example.com>", "ed25519");
  writeFileSync(join(one.folder, "nia.asc"), gpg.gpg(["--armor", "--export", fingerprint]));
  const { code, report, stderr } = await add(one, "nia", "--key", "nia.asc");
  assert.deepEqual([code, report?.files, stderr], [0, ["trust/people.yaml", "trust/keys/nia.asc"], ""]);
  const nia = await owner(one, "nia");
  assert.deepEqual([nia?.emails, nia?.keys[0]?.format, nia?.keys[0]?.isUsable], [["nia@example.com"], "openpgp", true]);
});
