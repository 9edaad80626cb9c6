import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as z from "zod";
import { CALLERS, type CallerRole } from "../../../src/server/access/principal.ts";
import type { Route } from "../../../src/server/http/route.ts";
import { ROUTES } from "../../../src/server/http/routes.ts";
import {
  ADOPTION,
  CHECK,
  COMMIT,
  entry,
  HOLD,
  LANDINGS,
  METRICS,
  READY,
  REDACTION,
  RELEASE,
  REVIEW,
  RULES,
  target,
  ULID,
  WAIVER,
} from "./samples.ts";
import { type Asking, FILE_SCOPE, type Reply, type Served, serve } from "./served.ts";
import { type Expected, expects } from "./strict-view.ts";

/** What a call that is let in asks of the service, and a request that is well-formed. */
interface Cell extends Asking {
  readonly path: string;
  readonly asks: () => readonly Expected[];
}

const GIVEN = { index: 9, target: "prod", approver: "lin", tree: COMMIT, head: COMMIT };
const holding = { index: 9, targets: ["prod"] };
const bytes = new Uint8Array([1, 2]);
const FORGES = ["github", "gitlab", "gitea"] as const;
const HINTS: readonly string[] = ["hint", ...FORGES.map((forge) => `${forge}-hint`)];

const CELLS: Readonly<Record<string, Cell>> = {
  decisions: { path: "/v1/decisions", asks: () => [expects("entries", null, { entries: [entry()], count: 1 })] },
  decision: { path: "/v1/decisions/7", asks: () => [expects("entry", [{ index: 7 }], entry())] },
  "decision-proof": {
    path: "/v1/decisions/7/proof",
    asks: () => [expects("entry", [{ index: 7 }], entry()), expects("proof", [7], "c2sp.org/tlog-proof@v1\n")],
  },
  releases: { path: "/v1/releases", asks: () => [expects("releases", null, [RELEASE])] },
  targets: { path: "/v1/targets", asks: () => [expects("targets", [], [target()])] },
  holds: { path: "/v1/holds", asks: () => [expects("holds", [], [HOLD])] },
  waivers: {
    path: "/v1/waivers",
    asks: () => [expects("targets", [], [target()]), expects("waivers", [["prod"]], [WAIVER])],
  },
  check: {
    path: "/v1/checks",
    body: { repository: "shop", head: COMMIT },
    asks: () => [expects("check", null, CHECK)],
  },
  hold: {
    path: "/v1/holds",
    body: { scope: "prod", reason: "migration" },
    asks: () => [expects("hold", null, holding)],
  },
  resume: {
    path: "/v1/resumes",
    body: { scope: "prod", reason: "done" },
    asks: () => [expects("resume", null, holding)],
  },
  release: { path: "/v1/releases", body: { target: "prod" }, asks: () => [expects("release", null, LANDINGS)] },
  review: {
    path: "/v1/reviews",
    body: { entry: "7", outcome: "accepted", reason: "the right cure" },
    asks: () => [expects("entry", [{ index: 7 }], entry()), expects("review", null, REVIEW)],
  },
  rollback: {
    path: "/v1/rollbacks",
    body: { target: "prod", to: 2, reason: "it broke" },
    asks: () => [expects("rollback", null, LANDINGS)],
  },
  adopt: {
    path: "/v1/adoptions",
    body: { target: "prod", reason: "what runs" },
    asks: () => [expects("adopt", null, ADOPTION)],
  },
  redact: {
    path: "/v1/redactions",
    body: { reason: "left", subject: { of: "person", name: "kim" }, entry: null, values: null, query: {} },
    asks: () => [expects("redact", null, REDACTION)],
  },
  alertmanager: {
    path: "/hooks/alertmanager",
    body: { version: "4", status: "firing", commonLabels: { sluice_scope: "prod" } },
    asks: () => [expects("holds", [], []), expects("hold", null, holding)],
  },
  approval: {
    path: "/v1/approvals",
    body: "an envelope",
    asks: () => [expects("approvalTarget", null, "prod"), expects("approve", null, GIVEN)],
  },
  report: {
    path: "/v1/reports?target=prod",
    body: "a note",
    asks: () => [expects("report", null, { index: 9 })],
  },
  data: {
    path: "/v1/data/shop/deny",
    body: { input: { a: 1 } },
    asks: () => [expects("data", null, { result: [], id: ULID })],
  },
  hint: { path: "/hooks/generic/shop", body: "anything", asks: () => [expects("hint", null, undefined)] },
  ...Object.fromEntries(
    FORGES.map((forge) => [
      `${forge}-hint`,
      { path: `/hooks/${forge}/shop`, body: "anything", asks: () => [expects("hint", null, undefined)] },
    ]),
  ),
  "log-checkpoint": { path: "/log/checkpoint", asks: () => [expects("resource", ["checkpoint"], bytes)] },
  "log-tile": { path: "/log/tile/0/000.p/3", asks: () => [expects("resource", ["tile/0/000.p/3"], bytes)] },
  "release-file": {
    path: "/releases/prod/head.json",
    asks: () => [expects("releaseFile", ["prod", "head.json"], bytes)],
  },
  metrics: { path: "/metrics", asks: () => [expects("metrics", [], METRICS)] },
  healthz: { path: "/healthz", asks: () => [] },
  readyz: { path: "/readyz", asks: () => [expects("readiness", [], READY)] },
  "page-targets": { path: "/", asks: () => [expects("targets", [], [target()])] },
  "page-changes": { path: "/changes", asks: () => [expects("entries", null, { entries: [entry()], count: 1 })] },
  "page-change": { path: "/changes/7", asks: () => [expects("entry", [{ index: 7 }], entry())] },
  "page-rules": {
    path: "/rules",
    asks: () => [expects("targets", [], [target()]), expects("rules", ["prod", null], RULES)],
  },
  "page-evidence": {
    path: "/evidence",
    asks: () => Array.from({ length: 18 }, () => expects("entries", null, { entries: [], count: 0 })),
  },
  "evidence-changes": {
    path: "/evidence/changes.csv",
    asks: () => [expects("entries", null, { entries: [], count: 0 })],
  },
  style: { path: "/style.css", asks: () => [] },
  openapi: { path: "/openapi.json", asks: () => [] },
};

function cell(route: Route): Cell {
  const found = CELLS[route.id];
  assert.ok(found, `${route.id} has no cell`);
  return found;
}

async function call(served: Served, route: Route, token: string | undefined): Promise<Reply> {
  const { path, asks: _, ...asking } = cell(route);
  return served.ask(path, { ...asking, method: route.method, ...(token === undefined ? {} : { token }) });
}

/** They judge or hand on, and change nothing in anybody's name. */
const ANSWERS = ["check", "data", ...HINTS];

describe("route by role", async () => {
  const known = await serve(FILE_SCOPE);
  const local = await serve(FILE_SCOPE, { access: null });

  const roles = (role: CallerRole): { served: Served; token?: string } => {
    if (role === "local") return { served: local };
    return role === "nobody" ? { served: known } : { served: known, token: known.tokens[role] };
  };

  for (const route of ROUTES) {
    for (const role of CALLERS) {
      const isPermitted = route.roles.includes(role);
      const expected = isPermitted ? 200 : role === "nobody" || role === "local" ? 401 : 403;
      it(`answers ${expected} to ${route.method} ${route.path} by ${role}`, async () => {
        const { served, token } = roles(role);
        served.clock.now += 60_000; // nobody is refused for haste here
        const isRecorded = isPermitted && role === "auditor" && route.isLogged;
        if (isRecorded) served.expect(expects("recordRead", null, undefined));
        if (isPermitted) served.expect(...cell(route).asks());
        const reply = await call(served, route, token);
        const { status, headers, text } = reply;
        assert.equal(status, expected, text);
        served.finish();
        if (isPermitted && route.answer instanceof z.ZodType) route.answer.parse(reply.json);
        if (isPermitted) return;
        assert.equal(headers["content-type"], "application/problem+json");
        assert.equal(reply.json["code"], expected === 401 ? "not-authenticated" : "not-permitted");
        assert.equal(headers["www-authenticate"], expected === 401 ? 'Bearer realm="sluice"' : undefined);
      });
    }
  }

  it("has a cell for every route, and no other", () => {
    assert.deepEqual(Object.keys(CELLS).sort(), ROUTES.map(({ id }) => id).sort());
  });

  it("lets nobody act who has no name", () => {
    for (const { method, roles, id } of ROUTES) {
      if (method === "POST" && !ANSWERS.includes(id))
        assert.ok(!roles.includes("local") && !roles.includes("nobody"), id);
    }
  });

  it("lets nobody who only looks change anything", () => {
    for (const { method, roles, id } of ROUTES) {
      if (method === "POST" && !HINTS.includes(id))
        for (const role of ["nobody", "reader", "auditor"] as const) assert.ok(!roles.includes(role), id);
    }
  });

  it("takes a hint from anybody, because its signature says who sent it, and asks the service for nothing else", () => {
    const open = ROUTES.filter(({ method, roles }) => method === "POST" && roles.includes("nobody"));
    assert.deepEqual(
      open.map(({ id }) => id),
      HINTS,
    );
  });

  it("lets no machine end a hold", () => {
    const { roles } = ROUTES.find(({ id }) => id === "resume") ?? assert.fail();
    assert.deepEqual(roles, ["operator", "admin"]);
  });
});
