/** Whom a message names when an approval is missing: those whose yes would count, and nobody else. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { missingFrom } from "../../src/decision/approval.ts";
import { deployment } from "../support/shop.ts";
import { makeGateWorld, propose } from "./gate-world.ts";

const base = await makeGateWorld({ after }, { target: { approvals: { count: 2 } } });
const files = { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) };

test("a missing approval names those who could give it: neither who wrote the change, nor who gave theirs", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files });
  const none = await propose(world, head);
  assert.match(none.reasons[0]?.message ?? "", /still requires 2 more people \(jo, lin, max\)\.$/);
  world.approve("jo", head);
  const one = await propose(world, head);
  assert.match(one.reasons[0]?.message ?? "", /still requires one more person \(lin, max\)\.$/);
  world.approve("lin", head);
  const both = await propose(world, head);
  assert.deepEqual([both.verdict, both.approvals.able], ["allow", undefined]);
});

test("many names are five and a number, and nobody is said to be nobody", () => {
  const rule = { count: 1, roles: ["platform"], accept: ["signed"], bind: "tree" } as const;
  const able = ["a", "b", "c", "d", "e", "f", "g"].map((person) => ({ person, roles: ["platform"] }));
  assert.deepEqual(missingFrom(rule, [], able), ["one of platform (a, b, c, d, e and 2 more)"]);
  const other = [{ person: "a", roles: ["security"] }];
  assert.deepEqual(missingFrom(rule, [], other), ["one of platform (nobody who is listed and had no hand in it)"]);
  assert.deepEqual(missingFrom(rule, [], undefined), ["one of platform"]);
});
