/** The masks of gate.yaml: built-in ones, rules, and OPA's `system.log` as people have it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { logMasks } from "../../src/gate/log-masks.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { masked } from "../../src/log/masking/mask.ts";
import { draft } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

/** gate.yaml with these masks, and the files that it names. */
async function masksOf(context: TestContext, masks: unknown, files: Readonly<Record<string, string>> = {}) {
  const folder = tempFolder(context);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const gate = {
    version: 1,
    repositories: { shop: { url: "shop.git" } },
    targets: { prod: { repository: "shop", branch: "main", channels: [{ directory: "channel" }] } },
    log: { store: "sqlite:log.db", origin: "gate.example/log", key: { file: "log.key" }, masks },
    release: { key: { file: "release.key" } },
  };
  writeFileSync(join(folder, "gate.yaml"), JSON.stringify(gate));
  return logMasks(readGateYaml(join(folder, "gate.yaml")));
}

const DECISION: Partial<EntryDraft> = {
  disclosed: {
    approvals: { given: [{ person: "lin" }] },
    digests: { manifests: "ab" },
    findings: [
      { file: "a.yaml", message: "mail ada@example.com" },
      { file: "b.yaml", message: "m" },
    ],
  },
  terms: [{ kind: "person", value: "lin" }],
};

const OPA_MASKS = `package system.log

mask contains "/input/approvals/given/0/person" if input.result.verdict == "allow"

mask contains {"op": "upsert", "path": "/input/findings/1/file", "value": "**REDACTED**"}

mask contains "/result/reasons"

drop if input.path == "sluice/staging"
`;

describe("masks of gate.yaml", () => {
  it("are the built-in ones where it says nothing, and without those that it leaves out", async (context) => {
    const names = async (masks: unknown) => (await masksOf(context, masks)).map(({ name }) => name);
    assert.deepEqual(await names({}), ["secret-data", "kubeconfigs", "tokens"]);
    assert.deepEqual(await names({ without: ["tokens"] }), ["secret-data", "kubeconfigs"]);
  });

  it("take out what a rule names: by what a text says, by its place, by kind", async (context) => {
    const rules = [
      { name: "mail", text: "[a-z]+@example\\.com" },
      { name: "files", value: "findings", at: "/*/file", kinds: ["decision"] },
      { name: "holds", value: "approvals", kinds: ["hold"] },
    ];
    const { disclosed, terms } = masked(draft(DECISION), await masksOf(context, { rules }));
    assert.deepEqual(disclosed["masks"], [
      { mask: "mail", at: ["/findings/0/message"], kept: [] },
      { mask: "files", at: ["/findings/0/file", "/findings/1/file"], kept: [] },
    ]);
    assert.deepEqual(disclosed["approvals"], DECISION.disclosed?.["approvals"]);
    assert.deepEqual(terms, DECISION.terms);
  });

  it("are read from OPA's system.log: remove and upsert withhold, drop withholds all, nothing is silent", async (context) => {
    const masks = await masksOf(context, { rego: ["masks.rego"] }, { "masks.rego": OPA_MASKS });
    const allowed = masked(draft(DECISION), masks);
    assert.deepEqual(allowed.disclosed["masks"], [
      { mask: "system-log-mask", at: ["/approvals/given/0/person", "/findings/1/file"], kept: [] },
    ]);
    assert.deepEqual(allowed.terms, []);
    const denied = masked(draft({ ...DECISION, verdict: "deny" }), masks);
    assert.deepEqual(denied.disclosed["masks"], [{ mask: "system-log-mask", at: ["/findings/1/file"], kept: [] }]);
    const dropped = masked(draft({ ...DECISION, target: "staging", verdict: "deny" }), masks);
    const every = ["/approvals/given/0/person"];
    for (const at of [0, 1]) every.push(`/findings/${at}/file`, `/findings/${at}/message`);
    assert.deepEqual(dropped.disclosed["masks"], [{ mask: "system-log-drop", at: every, kept: ["/digests"] }]);
    const hold = draft({ ...DECISION, kind: "hold" });
    assert.equal(masked(hold, masks), hold);
  });

  it("are read from the older Rego too, and withhold everything where they have no answer", async (context) => {
    const old = 'package system.log\n\nmask["/input/approvals"] { input.labels.id == "gate.example/log" }\n';
    const masks = await masksOf(context, { rego: ["masks.rego"] }, { "masks.rego": old });
    const { disclosed } = masked(draft(DECISION), masks);
    assert.deepEqual(disclosed["masks"], [{ mask: "system-log-mask", at: ["/approvals/given/0/person"], kept: [] }]);
    const wrong = 'package system.log\n\nmask contains {"op": "replace", "path": "/input/approvals"}\n';
    const failing = await masksOf(context, { rego: ["masks.rego"] }, { "masks.rego": wrong });
    const [record] = masked(draft(DECISION), failing).disclosed["masks"] as unknown as [{ mask: string; at: string[] }];
    assert.deepEqual([record.mask, record.at.length], ["system-log-failed", 5]);
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ["a rule that says nothing", { rules: [{ name: "a" }] }, "gate-configuration-invalid"],
    ["a value that the gate goes on from", { rules: [{ name: "a", value: "digests" }] }, "gate-configuration-invalid"],
    ["a pattern that is none", { rules: [{ name: "a", text: "(" }] }, "gate-configuration-invalid"],
    ["the name of a built-in mask", { rules: [{ name: "tokens", text: "x" }] }, "gate-configuration-invalid"],
    ["a built-in mask that there is not", { without: ["passwords"] }, "gate-configuration-invalid"],
    ["a file that is not there", { rego: ["none.rego"] }, "configuration-missing"],
    ["a file that does not compile", { rego: ["broken.rego"] }, "policy-does-not-compile"],
    ["a file without a mask", { rego: ["other.rego"] }, "policy-does-not-compile"],
  ];
  for (const [what, masks, code] of refused) {
    it(`are refused with ${what}`, async (context) => {
      const files = { "broken.rego": "package system.log\n\nmask contains", "other.rego": "package other\n\na := 1\n" };
      await assert.rejects(masksOf(context, masks, files), { code });
    });
  }
});
