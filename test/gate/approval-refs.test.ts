/** What lies among the approvals is read within bounds, and told where it goes beyond them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findEnvelopes } from "../../src/gate/approval-refs.ts";
import { preview } from "../support/preview.ts";
import { repository } from "../support/repository.ts";

test("no more references are read than the bound, nor more bytes, and the rest is counted", async (t) => {
  const source = await repository(t);
  source.commit({ files: { a: "a" } });
  for (let at = 0; at < 5; at += 1) {
    const id = source.object("blob", Buffer.from(`${at}`.repeat(100)));
    source.git(["update-ref", `refs/sluice/approvals/${`${at}`.repeat(64)}`, id]);
    source.git(["update-ref", `refs/sluice/approvals/again-${at}`, id]);
  }
  const git = await preview(t, source.path);
  const found = async (references: number, bytes: number) => {
    const { malformed, unread } = await findEnvelopes(git, { references, bytes });
    return [malformed.length, unread[0]?.code ?? null, unread[0]?.message ?? null];
  };
  assert.deepEqual(await found(5, 1_000), [5, null, null], "what several references name is read once");
  const rest = "of 5 approvals were not read: there are too many.";
  assert.deepEqual(await found(3, 1_000), [3, "approval-unread", `2 ${rest}`]);
  assert.deepEqual(await found(5, 250), [2, "approval-unread", `3 ${rest}`]);
});

test("references that cannot be listed are told too", async (t) => {
  const source = await repository(t);
  const head = source.commit({ files: { a: "a" } });
  source.git(["update-ref", `refs/sluice/approvals/${"a/".repeat(40)}a`, head]);
  const git = await preview(t, source.path);
  const { envelopes, unread } = await findEnvelopes(git);
  assert.deepEqual([envelopes, unread[0]?.message], [[], "the approvals cannot be listed."]);
});
