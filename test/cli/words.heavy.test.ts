/** What people read who have to act: on a terminal of 80 columns, perhaps at night. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { answer } from "../../src/cli/answer.ts";
import type { Invocation } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { wrap } from "../../src/cli/help.ts";
import { fine, remarksText, warning } from "../../src/cli/remark.ts";
import { readSurroundings } from "../../src/config/environment.ts";
import { deployment } from "../support/shop.ts";
import { tempFolder } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";

test("every command's example says in a second line what it does, in 80 columns", async () => {
  for (const { name, load } of COMMANDS) {
    const [, ...more] = (await load()).example.split("\n");
    assert.ok(more.length > 0 && more.every((line) => line.length <= 78), `${name}: ${more.join("\n")}`);
  }
});

test("a command in backticks is never broken over two lines, so that it can be copied", () => {
  const text = "Somebody who did not write the change runs `sluice approve --target prod`, `now";
  assert.deepEqual(wrap(text, 50), [
    "Somebody who did not write the change runs",
    "`sluice approve --target prod`, `now",
  ]);
  assert.deepEqual(wrap("a  b", 50), ["a  b"]);
});

test("what is wrong is coloured on a terminal that has colours; a file never is", (t) => {
  const folder = tempFolder(t);
  const written: string[] = [];
  const output = { isTerminal: true, width: 80, colours: true, write: (text: string) => void written.push(text) };
  const invocation = {
    options: { format: ["text", "text"], output: ["kept.txt"] },
    positionals: [],
    folder,
    surroundings: readSurroundings(),
    clock: Date.now,
    random: (count: number) => new Uint8Array(count),
    commands: [],
    output: {
      ...output,
      remark: () => undefined,
      progress: () => () => undefined,
      readInput: async () => new Uint8Array(),
    },
  } satisfies Invocation;
  const remarks = [fine("", "node", "24"), warning("", "anchor", "lies here", "move it")];
  answer(invocation, {}, (paint) => remarksText(remarks, paint));
  const plain = "ok    node    24\nwarn  anchor  lies here\n      fix  move it\n";
  assert.equal(readFileSync(join(folder, "kept.txt"), "utf8"), plain);
  assert.ok(written.join("").includes("\u001b[1;33mwarn  \u001b[0manchor"));
  assert.equal(written.join("").replace(/\u001b\[[0-9;]*m/g, ""), plain);
});

test("a release under a hold says who holds it and how it ends; an agent names objects as people do; a broken log says where", async (t) => {
  const world = await makeWorld(t);
  await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) });
  const inGate = (args: readonly string[]) => world.sluice([...args, "--config", "../gate.yaml"]);
  const why = await inGate(["log", "why", "Deployment/apps/web", "--target", "prod"]);
  assert.match(why.stdout, /^Deployment\/apps\/web is released in prod because .*\nlive +no agent has reported/);
  const applied = await world.sluice(["agent", "--once", "--config", "../agent.yaml"]);
  assert.match(applied.stdout, /\n {2}\+ Deployment\/apps\/web\n/);
  const held = await inGate(["hold", "prod", "--reason", "migration", "--as", "sam"]);
  assert.match(
    held.stdout,
    /^prod: held by sam; .*\nnext +when it is over: sluice resume prod --reason TEXT --config \.\.\/gate\.yaml\n$/,
  );
  const quiet = await inGate(["release", "prod"]);
  assert.match(
    quiet.stdout,
    /nothing new landed\nheld +prod, by sam since .*: migration\nresume +sluice resume prod --reason TEXT --config \.\.\/gate\.yaml\n/,
  );
  damageLog(world);
  const broken = await inGate(["log", "verify", "../damaged/log.db"]);
  assert.match(
    broken.stdout,
    /^BROKEN {2}.*\nlog-tampered {2}.*\n {8}in {3}entry \d+, its .*\n {8}fix {2}keep this copy .*; then sluice explain log-tampered\n$/,
  );
});

/** In a copy, one letter of each allow. */
function damageLog(world: World): void {
  cpSync(world.path("data"), world.path("damaged"), { recursive: true });
  for (const name of readdirSync(world.path("damaged")).filter((one) => one.startsWith("log.db"))) {
    const file = join(world.path("damaged"), name);
    const text = readFileSync(file, "latin1").replaceAll('"verdict":"allow"', '"verdict":"allov"');
    writeFileSync(file, text, "latin1");
  }
}
