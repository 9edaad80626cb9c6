/** Codes of a broken part that no file of a newcomer brings about: the function that says each is asked itself. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync, gzipSync } from "node:zlib";
import { checkWitnessed } from "../../../src/agent/verify.ts";
import { agent } from "../../../src/cli/agent.ts";
import { logRedact } from "../../../src/cli/log-redact.ts";
import { policyBuild } from "../../../src/cli/policy-build.ts";
import { policyEval } from "../../../src/cli/policy-eval.ts";
import { beyondEmergency } from "../../../src/decision/emergency.ts";
import { asSluiceError } from "../../../src/lib/errors.ts";
import { cosignatureVerifier, cosigner, generateCosigningKey } from "../../../src/log/cosignature.ts";
import { planRedaction } from "../../../src/log/redaction/plan.ts";
import { prepareFolder, readFailure } from "../../../src/log/stores/sqlite/database.ts";
import { digestOfText } from "../../../src/policy/policy-sources.ts";
import { LABEL_RULE, scene } from "../../cli/policy-scene.ts";
import { runHere } from "../../support/in-process.ts";
import { type Scope, tempFolder } from "../../support/temp.ts";
import { makeWorld, type World } from "../../support/world.ts";
import { codesOf, type Made, made } from "./entry.ts";

/** Code of what it throws. */
function thrown(attempt: () => unknown): Made {
  return made(async () => {
    try {
      await attempt();
    } catch (cause) {
      return [[asSluiceError(cause).code]];
    }
    return [[]];
  });
}

const NFS = 0x6969;
const SQLITE_IOERR = 10;

export async function partTable(scope: Scope) {
  const base = await makeWorld(scope, { target: { approvals: { count: 0 } } });
  base.push({ files: { "README.md": "again\n" } });
  await base.release();

  function agentRun(change: (world: World) => void): Made {
    return made(async (test) => {
      const world = base.copy(test);
      change(world);
      const args = ["--once", "--config", world.path("agent.yaml"), "--format", "json"];
      return [codesOf(await runHere(agent, args, world.folder, Date.now, world.path("home")))];
    });
  }

  return {
    "bundle-other-version": made(async (test) => {
      const folder = scene(test, { "policies/label/policy.rego": LABEL_RULE, "web.yaml": "kind: x\n" });
      await runHere(policyBuild, ["policies", "--output", "p.tar.gz"], folder);
      const path = join(folder, "p.tar.gz");
      writeFileSync(
        path,
        gzipSync(Buffer.from(ofOtherVersion(gunzipSync(readFileSync(path)).toString("latin1")), "latin1")),
      );
      return [codesOf(await runHere(policyEval, ["web.yaml", "--policies", "p.tar.gz"], folder))];
    }),
    "checkpoint-missing": agentRun((world) => rmSync(world.path("channel/checkpoint"))),
    "apply-failed": agentRun((world) => {
      world.configure("agent.yaml", () => ({ apply: { files: "./www" } }));
      world.write("www", "a file in the way\n");
    }),
    "witness-wrong": thrown(() => {
      const { skey, vkey } = generateCosigningKey("witness.example/w", randomBytes(32));
      const text = (size: number) => `gate.example/log\n${size}\n${Buffer.alloc(32).toString("base64")}\n`;
      const note = `${text(2)}\n${cosigner(skey).cosign(text(1), Date.now())}`;
      const root = { witnesses: { keys: [cosignatureVerifier(vkey)], quorum: 1 } };
      checkWitnessed(root as never, { checkpoint: { note } } as never);
    }),
    "emergency-governance": made(async () => [
      beyondEmergency([], { governance: { paths: ["trust/people.yaml"] } as never }).map(({ code }) => code),
    ]),
    "log-unreadable": thrown(() => {
      throw readFailure(Object.assign(new Error("disk I/O error"), { errcode: SQLITE_IOERR }));
    }),
    "log-on-network-storage": made((test) =>
      thrown(() => prepareFolder(`${tempFolder(test)}/log.db`, () => NFS)).make(test, ""),
    ),
    "redaction-too-large": thrown(() =>
      planRedaction(endless() as never, { entry: null, query: {}, values: ["evidence"], subject: null } as never),
    ),
    "redaction-unfinished": made(async (test) => {
      const world = base.copy(test);
      const reader = new DatabaseSync(world.path("data/log.db"), { readOnly: true });
      reader.exec("BEGIN");
      reader.prepare("SELECT count(*) FROM disclosures").get();
      try {
        const args = ["--entry", "1", "--reason", "asked for", "--even-needed", "--config", world.path("gate.yaml")];
        return [codesOf(await runHere(logRedact, args, world.folder, Date.now, world.path("home")))];
      } finally {
        reader.close();
      }
    }),
  } as const;
}

/** A log without an end, in which each entry discloses what is asked for. */
function endless() {
  const page = (after: number) =>
    Array.from({ length: 500 }, (_, n) => ({
      index: after + 1 + n,
      leaf: { kind: "decision" },
      disclosed: { evidence: { salt: "", value: "x" } },
    }));
  return { find: async ({ after }: { readonly after: number }) => page(after) };
}

/** The bundle as another version of OPA would have built it: its sources name that one, and its revision is theirs. */
function ofOtherVersion(tar: string): string {
  const { revision, metadata } = JSON.parse(/\{"(?:metadata|revision)".*\}/.exec(tar)?.[0] ?? "") as {
    readonly revision: string;
    readonly metadata: { readonly sluice: { readonly sources: string } };
  };
  const { sources } = metadata.sluice;
  const text = Buffer.from(sources, "base64")
    .toString()
    .replace(/"compiler":"opa ./, (before) => `${before.slice(0, -1)}0`);
  return tar.replace(sources, Buffer.from(text).toString("base64")).replace(revision, digestOfText(text) ?? "");
}
