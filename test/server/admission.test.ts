/** What a cluster's API server asks, through the service's own listener, judged by the policies of an adopted target. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:http2";
import { after, test } from "node:test";
import { readReview } from "../../src/admission/read.ts";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { disclosedDecision } from "../../src/gate/record.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { openDoor } from "../../src/server/door.ts";
import { serviceOrders } from "../../src/server/orders.ts";
import { Service } from "../../src/server/service.ts";
import { connection, creation, deletion, secretCreation, update } from "../admission/reviews.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment, policy } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";
import { makeAuthority, makeCertificate } from "./http/certificates.ts";
import { ask } from "./http/served.ts";

const BROKEN = `deny contains {"message": "m", "at": ""} if time.parse_rfc3339_ns(input.resource.object.metadata.labels.at) > 1`;
const ASKED = `deny contains {"message": sprintf("%s by %s", [input.request.operation, input.request.userInfo.username]), "at": ""} if {
	input.subject.kind == "admission"
	input.resource.object.metadata.labels.told == "yes"
}`;
const scope = ownScope();
const admission = { port: 0, target: "prod", tls: { certificate: "gate.crt", key: "gate.key", clients: "ours.crt" } };
const world = await makeGateWorld(scope, {
  target: { approvals: { count: 0 } },
  gate: { admission: { ...admission, deadline: "29s" }, listen: { port: 0 } },
  files: {
    "policies/broken/policy.rego": policy("broken", BROKEN, ["match: {kinds: [Deployment]}"]),
    "policies/asked/policy.rego": policy("asked", ASKED),
  },
});
makeAuthority(world.folder, "ours", "/CN=ours");
makeCertificate(world.folder, "gate", { subject: "/CN=gate", by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
makeCertificate(world.folder, "api", { subject: "/CN=apiserver", by: "ours", use: "clientAuth" });
const tls = { ca: world.read("ours.crt"), cert: world.read("api.crt"), key: world.read("api.key") };
const means = {
  surroundings: readSurroundings({ HOME: world.path("home") }),
  clock: Date.now,
  random: randomBytes,
  onStep: () => undefined,
};
const journal = { say: () => undefined };
const configuration = readGateYaml(world.path("gate.yaml"));
const service = await Service.start(configuration, { means, journal });
const door = await openDoor(service, means, journal);
after(async () => {
  await door.close();
  await service.stop();
  scope.end();
});

interface Response {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly warnings?: readonly string[];
  readonly auditAnnotations: { readonly "log-index": string };
}

async function admit(body: JsonObject): Promise<Response> {
  const { json } = await ask(door.admissionUrl ?? "", "/v1/admit?timeout=30s", { method: "POST", body, tls });
  return json["response"] as Response;
}

const entryOf = ({ auditAnnotations }: Response) => service.gate.log.read(Number(auditAnnotations["log-index"]));

test("an object that a policy denies is refused with the rule's words, and logged before", async () => {
  const said = await admit(creation({ privileged: true }));
  assert.deepEqual([said.allowed, said.status?.code], [false, 403]);
  assert.match(
    said.status?.message ?? "",
    /^sluice: policy-denied: no-privileged: Deployment\/apps\/web the container is privileged\. Do something else\. \(decision \w+, log \d+\)$/,
  );
  const { leaf, disclosed } = await entryOf(said);
  assert.deepEqual(
    [leaf.kind, leaf.verdict, leaf.purpose, leaf.reasons],
    ["decision", "deny", "gate", ["policy-denied"]],
  );
  assert.deepEqual(Object.keys(leaf.subject), ["judge"], "neither proposed nor landed");
  const decision = disclosedDecision(disclosed);
  assert.deepEqual(decision?.request, {
    uid: "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
    operation: "CREATE",
    user: "system:serviceaccount:flux-system:kustomize-controller",
    kind: "Deployment.v1.apps",
    resource: "deployments",
    dryRun: false,
  });
  const { user: value } = decision?.request ?? { user: "" };
  const byUser = await service.gate.log.find({ kinds: ["decision"], terms: [{ kind: "person", value }] });
  assert.equal(byUser[0]?.index, Number(said.auditAnnotations["log-index"]));
});

test("an allow is logged as fully, warns of what rules only warn of, and a dry run is marked", async () => {
  const said = await admit(creation({ replicas: 1 }, { dryRun: true }));
  assert.deepEqual([said.allowed, said.warnings], [true, ["few-replicas: one replica is no replica"]]);
  const { leaf } = await entryOf(said);
  assert.deepEqual([leaf.verdict, leaf.purpose, leaf.reasons], ["allow", "dry-run", []]);
});

test("updates, deletions and connections are judged, by what the request itself says too", async () => {
  assert.equal((await admit(update({}, { privileged: true }))).allowed, false);
  assert.equal((await admit(update({ privileged: true }, {}))).allowed, true);
  assert.equal((await admit(deletion({ privileged: true }))).allowed, true);
  assert.equal((await admit(connection())).allowed, true);
  const told = await admit(creation({ labels: { told: "yes" } }));
  assert.match(told.status?.message ?? "", /CREATE by system:serviceaccount:flux-system:kustomize-controller/);
});

test("what a rule cannot evaluate is refused", async () => {
  const said = await admit(creation({ labels: { at: "noon" } }));
  assert.equal(said.allowed, false);
  assert.equal((await entryOf(said)).leaf.verdict, "error");
});

test("an object of another kind than the request says is refused, and logged", async () => {
  const { request } = creation() as { request: JsonObject };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web", namespace: "apps" } };
  const said = await admit({ ...creation(), request: { ...request, object } });
  assert.deepEqual([said.allowed, (await entryOf(said)).leaf.reasons], [false, ["request-invalid"]]);
});

test("no value of a Secret is in the log or in what is said", async () => {
  const value = "correct horse battery staple";
  const said = await admit(secretCreation(value));
  assert.equal(said.allowed, false, "its label is bad");
  const entry = JSON.stringify((await entryOf(said)).disclosed);
  for (const text of [entry, JSON.stringify(said)]) {
    assert.ok(!text.includes(value) && !text.includes(Buffer.from(value).toString("base64")));
  }
});

test("whoever is too late is refused by its code, which is logged", async () => {
  const reading = readReview(utf8(JSON.stringify(creation())));
  if (reading.kind === "refused") assert.fail(reading.message);
  const { admit: late } = serviceOrders(service);
  const said = await late(reading.request, AbortSignal.abort());
  assert.deepEqual([said.allowed, said.code], [false, "answer-too-slow"]);
});

test("over HTTP/2 the answer is the same", async () => {
  const session = connect(door.admissionUrl ?? "", tls);
  const headers = { ":method": "POST", ":path": "/v1/admit", "content-type": "application/json" };
  const stream = session.request(headers);
  stream.end(JSON.stringify(creation({ privileged: true })));
  await once(stream, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  const { response } = JSON.parse(Buffer.concat(chunks).toString()) as { response: Response };
  assert.match(response.status?.message ?? "", /no-privileged/);
});

test("a policy that has landed and was released judges the next request; what came between is no landing", async () => {
  const stricter = policy(
    "few-replicas",
    'deny contains {"message": "no", "at": ""} if input.resource.object.spec.replicas < 3',
  );
  const landed = world.push({
    files: {
      "policies/few-replicas/policy.rego": stricter,
      "clusters/prod/web.yaml": deployment("web", { replicas: 4 }),
    },
    by: "ada",
  });
  world.approve("lin", landed);
  const { landed: steps } = await serviceOrders(service).release({ target: "prod", by: "sam" });
  assert.deepEqual(
    steps.map(({ check, release }) => [check.verdict, release?.commit]),
    [["allow", landed]],
  );
  assert.match((await admit(creation())).status?.message ?? "", /few-replicas/);
  const { decisions } = await serviceOrders(service).metrics();
  assert.ok(decisions.some(({ subject, verdict }) => subject === "admission" && verdict === "deny"));
  assert.deepEqual((await serviceOrders(service).release({ target: "prod", by: "sam" })).landed, []);
});

test("a listener that comes, goes or moves needs a restart; a deadline and certificates do not", () => {
  const changed = (change: object) => {
    const { gate } = configuration;
    return { ...configuration, gate: { ...gate, admission: { ...gate.admission, ...change } } } as typeof configuration;
  };
  door.reload(changed({ deadline: "20s" }));
  assert.throws(() => door.reload(changed({ port: 9443 })), { code: "restart-needed" });
  const { admission: _, ...gate } = configuration.gate;
  assert.throws(() => door.reload({ ...configuration, gate }), { code: "restart-needed" });
});
