import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keygenSchema } from "../../src/cli/reports/schemas.ts";
import { noteSigner, noteVerifier, openNote } from "../../src/log/note.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

test("keygen writes a private key for its owner only and prints the verifier key that belongs to it", async (t) => {
  const cwd = tempFolder(t);
  const run = await runSluice(["keygen", "log", "--name", "gate.example/log", "--out", "log.key"], { cwd });
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  assert.equal(statSync(join(cwd, "log.key")).mode & 0o777, 0o600);
  const signer = noteSigner(readFileSync(join(cwd, "log.key"), "utf8"));
  assert.equal(run.stdout, `${signer.vkey}\n`);
  assert.equal(signer.name, "gate.example/log");
  assert.equal(openNote(signer.sign("hello\n"), [noteVerifier(run.stdout.trim())]).kind, "verified");
});

test("keygen never makes the same key twice", async (t) => {
  const cwd = tempFolder(t);
  const keys = await Promise.all(
    ["a.key", "b.key"].map((out) => runSluice(["keygen", "agent", "--name", "prod-1", "--out", out], { cwd })),
  );
  assert.notEqual(keys[0]?.stdout, keys[1]?.stdout);
});

test("keygen prints JSON that its schema describes", async (t) => {
  const cwd = tempFolder(t);
  const args = ["keygen", "release", "--name", "gate.example/release", "--out", "release.key", "--format", "json"];
  const run = await runSluice(args, { cwd });
  const report = keygenSchema.parse(JSON.parse(run.stdout));
  assert.equal(report.use, "release");
  assert.equal(noteVerifier(report.verifierKey).name, "gate.example/release");
  assert.equal(run.stdout.includes("PRIVATE"), false);
});

test("keygen refuses to replace a file, or what a link points to, with key-exists", async (t) => {
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, "log.key"), "precious\n");
  symlinkSync(join(cwd, "elsewhere"), join(cwd, "link.key"));
  for (const out of ["log.key", "link.key"]) {
    const run = await runSluice(["keygen", "log", "--name", "gate.example/log", "--out", out], { cwd });
    assert.deepEqual([run.code, run.stdout], [2, ""]);
    assert.match(run.stderr, /^key-exists {2}/);
  }
  assert.equal(readFileSync(join(cwd, "log.key"), "utf8"), "precious\n");
  assert.equal(existsSync(join(cwd, "elsewhere")), false);
});

test("keygen refuses names that no note can bear, unknown uses and missing options as usage", async (t) => {
  const cwd = tempFolder(t);
  const wrong = [
    ["keygen", "log", "--name", "two words", "--out", "x.key"],
    ["keygen", "log", "--name", "a+b", "--out", "x.key"],
    ["keygen", "log", "--out", "x.key"],
    ["keygen", "log", "--name", "gate.example/log"],
    ["keygen", "master", "--name", "gate.example/log", "--out", "x.key"],
    ["keygen", "log", "--name", "gate.example/log", "--out", "no/such/folder/x.key"],
  ];
  const runs = await Promise.all(wrong.map((args) => runSluice(args, { cwd })));
  for (const [index, run] of runs.entries()) {
    assert.equal(run.code, 2, wrong[index]?.join(" "));
    assert.match(run.stderr, /^usage {2}/, wrong[index]?.join(" "));
  }
  assert.equal(existsSync(join(cwd, "x.key")), false);
});

test("keygen witness makes a key of another type, which signs no log", async (t) => {
  const cwd = tempFolder(t);
  const run = await runSluice(["keygen", "witness", "--name", "w.example/w", "--out", "w.key"], { cwd });
  assert.match(run.stdout, /^w\.example\/w\+[0-9a-f]{8}\+B[A-Za-z0-9+/]{43}\n$/);
  assert.throws(() => noteSigner(readFileSync(join(cwd, "w.key"), "utf8")), { code: "note-key-invalid" });
});
