/** Admission through `sluice serve` as a process: SIGHUP takes a new gate.yaml as a whole, or keeps the old one and says so. */
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { after, test } from "node:test";
import { connect } from "node:tls";
import { creation } from "../admission/reviews.ts";
import { ServiceProcess } from "../support/service.ts";
import { makeWorld } from "../support/world.ts";
import { makeAuthority, makeCertificate } from "./http/certificates.ts";
import { ask } from "./http/served.ts";

const admission = {
  port: 0,
  target: "prod",
  tls: { certificate: "gate.crt", key: "gate.key", clients: "ours.crt" },
  deadline: "29s",
};
const world = await makeWorld(
  { after },
  { target: { approvals: { count: 0 } }, gate: { admission, access: { tokens: { file: "tokens.yaml" } } } },
);
makeAuthority(world.folder, "ours", "/CN=ours");
for (const name of ["gate", "gate2"]) {
  makeCertificate(world.folder, name, { subject: `/CN=${name}`, by: "ours", use: "serverAuth", names: "IP:127.0.0.1" });
}
makeCertificate(world.folder, "api", { subject: "/CN=apiserver", by: "ours", use: "clientAuth" });
const tls = { ca: world.read("ours.crt"), cert: world.read("api.crt"), key: world.read("api.key") };

async function token(person: string): Promise<string> {
  const args = ["token", "new", "--role", "reader", "--person", person, "--config", "../gate.yaml"];
  return (await world.sluice(args)).stdout.trim();
}
const first = await token("first");
const service = new ServiceProcess({ after }, world);
const ready = await service.line("ready");
const [url, admissionUrl] = [String(ready["url"]), String(ready["admission"])];

/** What the process says of a signal that it has not said before. */
async function hup(): Promise<string> {
  const since = service.lines.length;
  service.child.kill("SIGHUP");
  const said = () =>
    service.lines.slice(since).find(({ msg }) => msg === "reloaded" || msg === "gate.yaml is kept as it was");
  const line = await service.until(said, "what becomes of SIGHUP");
  return `${line.msg}${line["code"] === undefined ? "" : ` (${String(line["code"])})`}`;
}

async function isAllowed(privileged: boolean): Promise<boolean> {
  const body = creation({ privileged });
  const { json } = await ask(admissionUrl, "/v1/admit?timeout=30s", { method: "POST", body, tls });
  return (json["response"] as { readonly allowed: boolean }).allowed;
}

/** Whose certificate a new connection is shown. */
function shown(): Promise<string> {
  const { hostname, port } = new URL(admissionUrl);
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port), ...tls }, () => {
      done(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once("error", fail);
  });
}

const isKnown = async (bearer: string): Promise<boolean> =>
  (await fetch(`${url}/v1/targets`, { headers: { authorization: `Bearer ${bearer}` } })).status === 200;
const configure = (change: object): void =>
  world.configure("gate.yaml", () => ({ admission: { ...admission, ...change } }));

test("a bad gate.yaml keeps the old one as a whole, certificates and tokens too, and says so", async () => {
  assert.deepEqual([await isAllowed(false), await isAllowed(true), await shown()], [true, false, "gate"]);
  const second = await token("second");
  assert.deepEqual([await isKnown(first), await isKnown(second)], [true, false]);
  world.write("broken.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  for (const [change, said] of [
    [{ deadline: "1h" }, "gate-configuration-invalid"],
    [{ target: "staging" }, "gate-configuration-invalid"],
    [{ tls: { ...admission.tls, certificate: "nowhere.crt" } }, "configuration-missing"],
    [{ tls: { ...admission.tls, key: "nowhere.key" } }, "secret-missing"],
    [{ tls: { ...admission.tls, certificate: "broken.crt" } }, "gate-configuration-invalid"],
    [{ port: 1 }, "restart-needed"],
  ] as const) {
    configure(change);
    assert.equal(await hup(), `gate.yaml is kept as it was (${said})`, JSON.stringify(change));
    assert.deepEqual([await shown(), await isKnown(second)], ["gate", false], said);
  }
  assert.deepEqual([await isAllowed(false), await isAllowed(true)], [true, false]);
});

test("a good one is in force at once: another certificate, another deadline, other tokens", async () => {
  configure({ deadline: "20s", tls: { ...admission.tls, certificate: "gate2.crt", key: "gate2.key" } });
  assert.equal(await hup(), "reloaded");
  assert.deepEqual([await shown(), await isAllowed(false), await isAllowed(true)], ["gate2", true, false]);
  copyFileSync(world.path("gate.crt"), world.path("gate2.crt"));
  copyFileSync(world.path("gate.key"), world.path("gate2.key"));
  assert.equal(await hup(), "reloaded");
  assert.equal(await shown(), "gate");
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
});
