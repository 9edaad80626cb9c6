import assert from "node:assert/strict";
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/lib/bytes.ts";
import { APPLIERS, openApplier } from "../../src/release/appliers.ts";
import { openDirectoryChannel } from "../../src/release/channels/directory.ts";
import { CHANNELS, openChannel } from "../../src/release/channels.ts";
import { tempFolder } from "../support/temp.ts";

test("the lists of channels and appliers name the files of their folders", () => {
  const names = (folder: string): readonly string[] =>
    readdirSync(new URL(`../../src/release/${folder}`, import.meta.url)).map((file) => file.replace(".ts", ""));
  assert.deepEqual(CHANNELS.map((kind) => kind.name).sort(), names("channels"));
  assert.deepEqual(APPLIERS.map((kind) => kind.name).sort(), names("appliers"));
});

test("other kinds of channels and appliers are refused", async () => {
  for (const configured of [{ oci: "x" }, { branch: {} }, {}, { directory: 1 }, { directory: "/x", oci: "y" }]) {
    await assert.rejects(openChannel(configured), { code: "not-supported" });
  }
  for (const configured of [{ kubernetes: "x" }, {}, { files: null }, { toString: "x" }]) {
    await assert.rejects(openApplier(configured), { code: "not-supported" });
  }
});

test("writes and reads back, and leaves no other file behind", async (t) => {
  const folder = join(tempFolder(t), "deep", "channel");
  const channel = await openDirectoryChannel(folder);
  assert.equal(await channel.read("releases/1/release.json"), null);
  await channel.write("releases/1/release.json", utf8("a"));
  assert.deepEqual(await channel.read("releases/1/release.json"), utf8("a"));
  assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), [
    "releases",
    "releases/1",
    "releases/1/release.json",
  ]);
  await assert.rejects(channel.read("releases/1/release.json/x"), { code: "channel-link" });
});

test("never overwrites other bytes, except head and checkpoint", async (t) => {
  const channel = await openDirectoryChannel(tempFolder(t));
  for (const path of ["releases/1/release.json", "tile/0/000", "releases/1/objects/head.json", "x/checkpoint"]) {
    await channel.write(path, utf8("a"));
    await channel.write(path, utf8("a"));
    await assert.rejects(channel.write(path, utf8("b")), { code: "channel-conflict" });
    assert.deepEqual(await channel.read(path), utf8("a"));
  }
  for (const path of ["head.json", "checkpoint"]) {
    await channel.write(path, utf8("a"));
    await channel.write(path, utf8("b"));
    assert.deepEqual(await channel.read(path), utf8("b"));
  }
});

test("a file that a crash left half-written beside its place is in nobody's way", async (t) => {
  const folder = tempFolder(t);
  const channel = await openDirectoryChannel(folder);
  writeFileSync(join(folder, "head.json.tmp~"), "half");
  await channel.write("head.json", utf8("whole"));
  assert.deepEqual(readdirSync(folder), ["head.json"]);
});

for (const path of [
  "",
  "/etc/passwd",
  "../x",
  "a/../b",
  "a/./b",
  "a//b",
  "a\\b",
  "a\u0000b",
  "a b",
  "~/x",
  "x~",
  "a/".repeat(9),
]) {
  test(`refuses the path ${JSON.stringify(path)}`, async (t) => {
    const channel = await openDirectoryChannel(tempFolder(t));
    await assert.rejects(async () => channel.read(path), { code: "channel-path" });
    await assert.rejects(async () => channel.write(path, utf8("x")), { code: "channel-path" });
  });
}

test("neither reads nor writes through a link, a hard link or a pipe", async (t) => {
  const folder = tempFolder(t);
  const outside = tempFolder(t);
  writeFileSync(join(outside, "file"), "outside");
  const channel = await openDirectoryChannel(folder);
  symlinkSync(outside, join(folder, "releases"));
  symlinkSync(join(outside, "file"), join(folder, "head.json"));
  symlinkSync(join(outside, "absent"), join(folder, "checkpoint"));
  linkSync(join(outside, "file"), join(folder, "hard"));
  mkdirSync(join(folder, "folder"));
  for (const path of ["releases/file", "head.json", "checkpoint", "hard", "folder"]) {
    await assert.rejects(channel.read(path), { code: "channel-link" });
    await assert.rejects(channel.write(path, utf8("evil")), { code: "channel-link" });
  }
  assert.equal(readFileSync(join(outside, "file"), "utf8"), "outside");
  assert.deepEqual(readdirSync(outside), ["file"]);
});
