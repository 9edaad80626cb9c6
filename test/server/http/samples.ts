/** Answers of a service, in which only what matters need be said. */

import type { AdoptionReport } from "../../../src/gate/json/adoption.ts";
import type { CheckReport } from "../../../src/gate/json/check.ts";
import type { RedactionReport } from "../../../src/gate/json/redaction.ts";
import type { ReviewState } from "../../../src/gate/review.ts";
import type { CommitId, TreeId } from "../../../src/git/object.ts";
import { sha256Hex } from "../../../src/lib/digest.ts";
import type { LoggedEntry } from "../../../src/log/entry.ts";
import type { Landings, MetricFacts, RulesState, TargetState } from "../../../src/server/view.ts";

export const COMMIT = "5d2c0aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0e1";
const LEAF_HASH = Buffer.alloc(32, 7).toString("base64");
export const ULID = "01JD7K00000000000000000000";
const TIME = "2026-11-21T10:00:00.000Z";

export function entry(change: Partial<LoggedEntry["leaf"]> = {}, index = 7): LoggedEntry {
  return {
    index,
    leafHash: LEAF_HASH,
    bytes: new Uint8Array(),
    leaf: {
      v: 1,
      kind: "decision",
      id: ULID,
      time: TIME,
      target: "prod",
      purpose: "gate",
      verdict: "deny",
      reasons: ["unsigned-commit"],
      subject: { head: COMMIT },
      digests: { policies: sha256Hex("p"), trust: null, configuration: null, waivers: null, code: "0.1.0" },
      commitments: { evidence: LEAF_HASH },
      previous: null,
      ...change,
    },
    disclosed: { evidence: { salt: "AAAAAAAAAAAAAAAAAAAAAA==", value: { documents: 12 } }, persons: null },
  };
}

export function target(name = "prod"): TargetState {
  return {
    target: name,
    repository: "shop",
    branch: "main",
    mode: "enforce",
    adopted: true,
    released: { sequence: 3, commit: COMMIT, time: TIME },
    head: { issuedAt: TIME, notAfter: TIME },
    hold: null,
    review: null,
    waiting: 1,
  };
}

export const RULES: RulesState = {
  target: "prod",
  mode: "enforce",
  commit: COMMIT,
  since: TIME,
  index: 4,
  signatures: "every-commit",
  approvals: { count: 1, roles: ["platform"] },
  approvers: ["lin"],
  rules: [
    {
      id: "k8s-privileged",
      title: "Containers are not privileged",
      description: "",
      level: "high",
      mode: "enforce",
      controls: ["SOC2 CC6.8"],
      waivable: false,
      spoke: 15,
      denied: 14,
    },
  ],
  waivers: [],
  people: [{ id: "lin", class: "person", roles: ["platform"], keys: 2, usable: 1, hasLeft: true }],
};

export const HOLD = { scope: "prod", reason: "migration", by: "sam", since: TIME, index: 5 };

export const REVIEW: ReviewState = {
  target: "prod",
  entry: 7,
  commit: COMMIT,
  operator: "sam",
  due: TIME,
  state: "accepted",
  review: { index: 9, at: TIME, by: "jo", reason: "the right cure" },
};

export const RELEASE = {
  target: "prod",
  sequence: 3,
  commit: COMMIT,
  tree: COMMIT,
  rollbackOf: null,
  objects: 2,
  manifestDigest: sha256Hex("m"),
  index: 8,
  time: TIME,
};

export const WAIVER = {
  id: "0123456789abcdef",
  target: "prod",
  rule: "k8s-privileged",
  resource: "DaemonSet/falco/falco",
  reason: "probe",
  ticket: null,
  owner: "ada",
  until: "2027-02-28",
};

export const METRICS: MetricFacts = {
  startedAt: Date.parse(TIME),
  logSize: 12,
  freeBytes: 1024,
  queue: { proposals: 2, landings: 1, running: 1 },
  polls: [{ repository: "shop", succeeded: 4, failed: 1, lastSuccessAt: Date.parse(TIME) }],
  decisions: [{ target: "prod", subject: "proposed", verdict: "deny", count: 3 }],
  targets: [{ target: "prod", sequence: 3, held: true, review: "due", headNotAfter: Date.parse(TIME) }],
  landingToRelease: { sum: 1.5, count: 2, buckets: [{ le: 1, count: 1 }] },
};

export const READY = { ready: true, facts: [{ what: "log", code: null, message: "writes" }] } as const;

export const CHECK = {
  apiVersion: "sluice/v1",
  kind: "Check",
  authority: "gate",
  verdict: "deny",
  exitCode: 1,
  repository: "shop",
  subject: "proposed",
  base: COMMIT,
  head: COMMIT,
  judge: COMMIT,
  tree: COMMIT,
  verifications: [],
  ignored: [],
  targets: [],
  timings: {},
} as unknown as CheckReport;

export const LANDINGS: Landings = {
  apiVersion: "sluice/v1",
  kind: "Landings",
  target: "prod",
  current: 3,
  landed: [],
};

/** What a stranger may have written, and how a page shows it. */
export const HOSTILE = `"><script>alert('x')</script>\u202egnp\u0000&amp;`;
export const SHOWN = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{202e}gnp\\u{0}&amp;amp;";

export const ADOPTION: AdoptionReport = {
  apiVersion: "sluice/v1",
  kind: "Adoption",
  target: "prod",
  commit: COMMIT as CommitId,
  tree: COMMIT as TreeId,
  index: 9,
  id: ULID,
  time: TIME,
  objects: 2,
  baseline: 0,
  copy: "",
  digests: { policies: null, trust: null, configuration: null, waivers: null, manifests: null, input: null },
  comparison: null,
};

export const REDACTION: RedactionReport = {
  apiVersion: "sluice/v1",
  kind: "Redaction",
  index: 9,
  by: "ada",
  reason: "left",
  values: 1,
  erased: [{ index: 7, names: ["evidence"] }],
  kept: [],
};
