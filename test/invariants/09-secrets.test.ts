/** Invariant 9: values that may be secret never reach logs, comments, pages or errors. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { configMap, deployment, document, type Files, policy } from "../support/shop.ts";
import type { SluiceRun } from "../support/sluice.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
/** Long enough to be no accident, and with what JSON and base64 write otherwise. */
const CANARIES = {
  config: 'canary "config" \\ ünï-1f3a9c',
  lines: "canary-line-one-77ad\ncanary-line-two-90bb",
  env: "canary-env-5d21e0",
  secret: "canary-secret-c0ffee11",
  encoded: "canary-encoded-8b7712",
  removed: "canary-removed-aa51b0",
  short: "cnr-9",
} as const;

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const CONFIG = configMap("leaky", { password: CANARIES.config, lines: CANARIES.lines, pin: CANARIES.short });
const DEPLOYMENT = deployment("web", { replicas: 1, env: { TOKEN: CANARIES.env } });
const secret = (data: object): string =>
  document({ apiVersion: "v1", kind: "Secret", metadata: { name: "login", namespace: "apps" }, ...data });
const PLAIN_SECRET = secret({ stringData: { password: CANARIES.secret }, data: { token: base64(CANARIES.encoded) } });

/** Rules that say all they see: in messages, in fixes, and in the words of a built-in function that fails. */
const TALKATIVE: Files = {
  "policies/talk.rego": policy(
    "talkative",
    `warn contains {"message": substring(sprintf("%v", [input.resource]), 0, 3000), "fix": substring(json.marshal(input.resource.object), 0, 3000)} if input.resource

warn contains {"message": base64.encode(value)} if some value in input.resource.object.data

warn contains {"message": json.marshal(value)} if some value in input.resource.object.data`,
  ),
};
const FAILING = (id: string): Files => ({
  [`policies/${id}.rego`]: policy(
    id,
    `deny contains {"message": "m"} if {
	some value in input.resource.object.data
	time.parse_rfc3339_ns(value) > 0
}`,
    ["match: {kinds: [ConfigMap]}"],
  ),
});

const base = await makeWorld({ after }, { target: { approvals: { count: 0 } }, files: TALKATIVE });

/** What a value looks like wherever it was copied, encoded or hashed without salt. */
function traces(value: string): readonly (readonly [string, Buffer])[] {
  const hash = createHash("sha256").update(value).digest();
  const texts = {
    plain: value,
    "escaped as JSON": JSON.stringify(value).slice(1, -1),
    base64: base64(value).replace(/=+$/, ""),
    base64url: Buffer.from(value).toString("base64url"),
    "SHA-256": hash.toString("hex"),
    "SHA-256 in base64": hash.toString("base64").replace("=", ""),
  };
  return [...Object.entries(texts).map(([how, text]) => [how, Buffer.from(text)] as const), ["SHA-256 as bytes", hash]];
}

/** Everything but repositories, the gate's git store, released objects and what the agent applied. */
const MAY_HOLD = /^(?:shop|shop\.git|www|data\/git|data\/objects|channel\/releases\/\d+\/objects)\//;

function assertClean(world: World, runs: readonly SluiceRun[]): void {
  const places: (readonly [string, Buffer])[] = world
    .files()
    .filter((path) => !MAY_HOLD.test(path))
    .map((path) => [path, readFileSync(world.path(path))]);
  for (const [index, run] of runs.entries()) places.push([`output ${index}`, Buffer.from(run.stdout + run.stderr)]);
  assert.ok(places.some(([path]) => path === "data/log.db"));
  const values = Object.values(CANARIES).flatMap((value) =>
    value.includes("\n") ? [value, ...value.split("\n")] : [value],
  );
  for (const value of values) {
    for (const [how, bytes] of traces(value)) {
      const found = places.filter(([, content]) => content.includes(bytes)).map(([path]) => path);
      assert.deepEqual(found, [], `${value.slice(0, 20)} stands ${how} in ${found}`);
    }
  }
}

/** Both renderings of what both doors say, and what the log shows of it. */
async function everyAnswer(world: World, head: string): Promise<readonly SluiceRun[]> {
  const gate = await world.check(head);
  const { index } = onlyTarget(gate.report).decision ?? assert.fail();
  return [
    gate,
    await world.preview(head),
    await world.sluice(["check", "--head", head]),
    await world.sluice(["log", "show", `${index}`, "--config", "../gate.yaml"]),
  ];
}

test("values of ConfigMaps and environments never leave, though a rule says all that it sees", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { "clusters/prod/leaky.yaml": CONFIG, [WEB]: DEPLOYMENT } });
  const runs = [...(await everyAnswer(world, head))];
  const said = onlyTarget(JSON.parse(runs[0]?.stdout ?? "")).findings.map(
    (finding: { message: string }) => finding.message,
  );
  assert.ok(
    said.some((message: string) => message.includes("***")),
    "the rule spoke and was masked",
  );
  world.moveMain(head);
  const released = await world.release();
  assert.equal(released.code, 0, released.stderr);
  runs.push(released, await world.agent(), await world.signHead());
  runs.push(await world.sluice(["log", "why", "ConfigMap/apps/leaky", "--target", "prod", "--config", "../gate.yaml"]));
  runs.push(await world.rollback(1));
  assert.ok(world.read("www/_%43onfig%4dap_apps_leaky").includes(CANARIES.short), "what is applied holds the value");
  assertClean(world, runs);
  assert.deepEqual(world.files("tmp"), [], "no temporary file is left");
});

test("a value that a change removes or replaces is as secret as it was", async (t) => {
  const world = base.copy(t);
  world.push({
    files: {
      "clusters/prod/old.yaml": configMap("old", { password: CANARIES.removed }),
      "clusters/prod/gone.yaml": configMap("gone", { lines: CANARIES.lines }),
    },
  });
  assert.equal((await world.release()).code, 0);
  const head = world.propose({
    files: {
      "clusters/prod/old.yaml": configMap("old", { password: "another value" }),
      "clusters/prod/gone.yaml": null,
    },
  });
  assertClean(world, await everyAnswer(world, head));
});

test("a built-in function that fails over a value does not quote it, nor does a new policy that cannot judge", async (t) => {
  const world = base.copy(t);
  world.push({ files: { "clusters/prod/leaky.yaml": CONFIG } });
  assert.equal((await world.release()).code, 0);
  const governed = world.propose({ files: FAILING("new-one") });
  const runs = [...(await everyAnswer(world, governed))];
  assert.match(runs[0]?.stdout ?? "", /new-judge-unusable/);

  const failing = await makeWorld(t, { target: { approvals: { count: 0 } }, files: FAILING("failing"), adopt: false });
  const head = failing.propose({ files: { "clusters/prod/leaky.yaml": CONFIG } });
  const preview = await failing.preview(head);
  assert.deepEqual([preview.code, reasonCodes(preview.report)], [3, ["builtin-error"]]);
  assertClean(world, [...runs, preview]);
});

test("files that cannot be read are refused without quoting a value of them", async (t) => {
  const broken: Readonly<Record<string, string>> = {
    "yaml-malformed": `data: {password: "${CANARIES.env}\n`,
    "yaml-ambiguous": `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  pin: 1_000_777_000_999\n`,
    "yaml-duplicate-key": `data:\n  password: ${CANARIES.env}\n  password: ${CANARIES.secret}\n`,
    "not-an-object": `password: ${CANARIES.env}\n`,
  };
  /** A password without its quotes is an alias or a tag. */
  const unquoted = {
    "clusters/prod/alias.yaml": `stringData:\n  password: *${CANARIES.secret}\n`,
    "clusters/prod/tag.yaml": `stringData:\n  password: !${CANARIES.encoded}\n`,
    "clusters/prod/handle.yaml": `stringData:\n  password: !${CANARIES.removed}!x\n`,
  };
  const world = base.copy(t);
  const files = Object.entries(broken).map(([code, text]) => [`clusters/prod/${code}.yaml`, text]);
  const head = world.propose({ files: { ...(Object.fromEntries(files) as Files), ...unquoted } });
  const runs = await everyAnswer(world, head);
  assert.deepEqual(
    [...new Set(reasonCodes(JSON.parse(runs[0]?.stdout ?? "")))].sort(),
    [...Object.keys(broken), "yaml-tag"].sort(),
  );
  for (const run of runs) assert.ok(!run.stdout.includes("1_000_777_000_999"), "quotes the value");
  assertClean(world, runs);
});

test("a plain Secret is never released, whatever rules and waivers say, and its values are in no message", async (t) => {
  const world = base.copy(t);
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const waived = ["release-plain-secret", "k8s-plain-secret", "talkative"].map((rule) => {
    return { rule, target: "prod", resource: "Secret/apps/login", reason: "please", owner: "ada", until };
  });
  const waiver = world.propose({ files: { "waivers.yaml": document(waived) } });
  world.approve("lin", waiver);
  world.moveMain(waiver);
  assert.equal((await world.release()).code, 0);
  const head = world.propose({ files: { "clusters/prod/login.yaml": PLAIN_SECRET } });
  const runs = [...(await everyAnswer(world, head))];
  world.moveMain(head);
  const released = await world.release();
  const [landed] = released.report.landed;
  assert.ok(landed !== undefined);
  assert.deepEqual([released.code, landed.release, reasonCodes(landed.check)], [1, null, ["release-plain-secret"]]);
  for (const one of [landed.check, JSON.parse(runs[0]?.stdout ?? "")]) {
    assert.match(onlyTarget(one).reasons[0]?.fix ?? "", /SOPS/);
  }
  assert.deepEqual(
    world.files("channel/releases").filter((path) => path.includes("ecret")),
    [],
  );
  assertClean(world, [...runs, released]);
});

test("the library's rule about plain Secrets denies one with a place and cannot be waived", async (t) => {
  const rule = readFileSync(resolve(import.meta.dirname, "../../policies/k8s-plain-secret/policy.rego"), "utf8");
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const waiver = {
    rule: "k8s-plain-secret",
    target: "prod",
    resource: "Secret/apps/login",
    reason: "please",
    owner: "ada",
    until,
  };
  const files = { "policies/k8s-plain-secret/policy.rego": rule, "waivers.yaml": document([waiver]) };
  const world = await makeWorld(t, { target: { approvals: { count: 0 } }, files });
  const head = world.propose({ files: { "clusters/prod/login.yaml": PLAIN_SECRET } });
  const runs = await everyAnswer(world, head);
  const { findings, waivers } = onlyTarget(JSON.parse(runs[0]?.stdout ?? ""));
  assert.deepEqual(
    [findings[0]?.rule, findings[0]?.waivedBy, findings[0]?.position?.file, waivers],
    ["k8s-plain-secret", null, "clusters/prod/login.yaml", []],
  );
  assertClean(world, runs);
});

test("ciphertext of SOPS passes as the bytes that it is", async (t) => {
  const world = base.copy(t);
  const cipher =
    "ENC[AES256_GCM,data:qRx0Zg==,iv:Y2FuYXJ5LWl2LWNhbmFyeS1pdi1jYW5hcnktaXYxMjM=,tag:dGFnLXRhZy10YWctdGFnLQ==,type:str]";
  const sealed = secret({ stringData: { password: cipher }, sops: { mac: cipher, version: "3.9.0" } });
  world.push({ files: { "clusters/prod/login.yaml": sealed } });
  const { code, stderr } = await world.release();
  assert.equal(code, 0, stderr);
  const file = world.files("channel/releases/1/objects").find((path) => path.includes("login")) ?? assert.fail();
  assert.ok(readFileSync(join(world.folder, file), "utf8").includes(cipher));
});

test("secret keys of the gate are in nothing that it writes", async (t) => {
  const world = base.copy(t);
  const keys = ["log.key", "release.key", "agent.key"].map((name) => world.read(name).trim());
  world.push({ files: { [WEB]: DEPLOYMENT } });
  const runs = [await world.release(), await world.agent(), await world.signHead()];
  const written = world.files().filter((path) => !/^(?:\w+\.key|keys\/)/.test(path));
  for (const key of keys) {
    const seed = /^(?:[^+]+\+){4}(.{40,})$/.exec(key)?.[1] ?? assert.fail("a key has five parts");
    assert.ok(!runs.some(({ stdout, stderr }) => `${stdout}${stderr}`.includes(seed)));
    assert.deepEqual(
      written.filter((path) => readFileSync(world.path(path)).includes(seed)),
      [],
    );
  }
});
