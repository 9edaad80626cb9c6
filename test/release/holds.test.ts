import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LoggedEntry } from "../../src/log/entry.ts";
import { holdDraft, holdScope, holdsFrom, isHeld, readHolds } from "../../src/release/holds.ts";
import { openWorld, resources } from "./world.ts";

const BY = { by: "sam", reason: "db migration" };

test("a hold stands until the same scope is resumed, and holds the log names who and why", async (t) => {
  const world = await openWorld(t);
  for (const [kind, scope] of [
    ["hold", "prod"],
    ["hold", "all"],
    ["hold", "prod"],
    ["resume", "all"],
    ["resume", "staging"],
  ] as const) {
    await world.log.append(holdDraft(kind, { scope, ...BY }, null));
    await world.decide(resources(1));
  }
  const holds = await readHolds(world.log);
  assert.deepEqual(
    holds.map(({ scope, by, reason, index }) => ({ scope, by, reason, index })),
    [{ scope: "prod", ...BY, index: 0 }],
  );
  assert.equal(isHeld(holds, "prod", "shop")?.by, "sam");
  assert.equal(isHeld(holds, "staging", "shop"), null);
  assert.equal(isHeld(holds, "shop", "prod"), null, "a target's hold is not a repository's");
});

test("a repository's hold covers its targets only, a hold of all every one", () => {
  const one = { ...BY, since: "", index: 0 };
  assert.ok(isHeld([{ ...one, scope: "repository:shop" }], "prod", "shop"));
  assert.equal(isHeld([{ ...one, scope: "repository:shop" }], "prod", "other"), null);
  assert.ok(isHeld([{ ...one, scope: "all" }], "prod", "other"));
});

test("more holds than one page of the log are all read", async (t) => {
  const world = await openWorld(t);
  const scopes = Array.from({ length: 600 }, (_, at) => `target-${at}`);
  await world.log.appendAll(scopes.map((scope) => holdDraft("hold", { scope, ...BY }, null)));
  assert.equal((await readHolds(world.log)).length, 600);
});

test("doubt never releases: a redacted hold holds, a redacted resume resumes nothing", () => {
  const hold = entry(0, "hold", "prod", "prod");
  const redacted = { ...hold, disclosed: { scope: null, reason: null, by: null } };
  assert.ok(isHeld(holdsFrom([redacted]), "prod", "shop"));
  const ofAll = { ...redacted, leaf: { ...redacted.leaf, target: null } };
  assert.ok(isHeld(holdsFrom([ofAll]), "anything", "shop"));
  const resume = { ...entry(1, "resume", "prod", "prod"), disclosed: { scope: null } };
  assert.ok(isHeld(holdsFrom([hold, resume]), "prod", "shop"));
});

test("a scope is held exactly when its last word was hold, in whatever order the entries are read", () => {
  const word = fc.tuple(fc.constantFrom("hold", "resume"), fc.constantFrom("prod", "staging", "all"));
  fc.assert(
    fc.property(fc.array(word), fc.infiniteStream(fc.nat()), (words, order) => {
      const entries = words.map(([kind, scope], at) => entry(at, kind as "hold" | "resume", scope, scope));
      const shuffled = [...entries].sort(() => ((order.next().value ?? 0) % 2 === 0 ? 1 : -1));
      const held = holdsFrom(shuffled)
        .map((hold) => hold.scope)
        .sort();
      const expected = ["all", "prod", "staging"].filter(
        (scope) => words.findLast((one) => one[1] === scope)?.[0] === "hold",
      );
      assert.deepEqual(held, expected);
    }),
  );
});

test("a hold names one scope, a person and a reason", () => {
  for (const scope of ["", "Prod", "prod, staging", "repository:", "*", "a".repeat(64)]) {
    assert.throws(() => holdScope(scope), { code: "hold-scope" });
    assert.throws(() => holdDraft("hold", { scope, ...BY }, null), { code: "hold-scope" });
  }
  assert.throws(() => holdDraft("resume", { scope: "prod", by: " ", reason: "x" }, null), { code: "hold-unnamed" });
  assert.throws(() => holdDraft("hold", { scope: "prod", by: "sam", reason: "" }, null), { code: "hold-unnamed" });
});

function entry(index: number, kind: "hold" | "resume", target: string, scope: string): LoggedEntry {
  const { verdict, reasons, subject, digests } = holdDraft(kind, { scope, ...BY }, null);
  const place = { id: "", time: "", previous: null, commitments: {} };
  const leaf = { v: 1, kind, target, purpose: "gate", verdict, reasons, subject, digests, ...place } as const;
  return { index, leaf, bytes: new Uint8Array(), leafHash: "", disclosed: { scope: { salt: "", value: scope } } };
}
