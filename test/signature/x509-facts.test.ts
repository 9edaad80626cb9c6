/** What becomes of an X.509 signature behind the doors: the report of verify, a decision, and what policies see. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hashObject } from "../../src/git/parse.ts";
import { configMap, write } from "../cli/policy-scene.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { readCommit } from "../support/signing.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { authority, pem, revocationList } from "../support/x509-bytes.ts";
import { type Issued, Openssl } from "../support/x509-tools.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const POLICY = `# METADATA
# title: Commits are signed with a certificate
# description: Company certificates only.
# custom:
#   id: company-certificate
#   level: high
#   fix: Sign with gpgsm.
#   scope: change
package rules.certificate

deny contains {"message": message} if {
	some commit in input.commits
	commit.verification.format == "x509"
	message := sprintf("%s of %s signed", [commit.verification.signer.person, commit.verification.signer.roles[0]])
}
`;

/** Signs what HEAD holds as `git commit -S` would with gpg.format=x509, but with openssl. */
function sign(repo: TestRepository, openssl: Openssl, signer: Issued): string {
  const raw = readCommit(repo.path, "HEAD").toString("latin1");
  const armour = openssl.sign(signer, Buffer.from(raw, "latin1")).trimEnd().replaceAll("\n", "\n ");
  const signed = raw.replace("\n\n", `\ngpgsig ${armour}\n\n`);
  const id = repo.object("commit", Buffer.from(signed, "latin1"));
  assert.equal(id, hashObject("sha1", "commit", Buffer.from(signed, "latin1")));
  repo.git(["update-ref", "HEAD", id]);
  return id;
}

test("a certificate's owner is a fact of the report, of the decision and of the policy input", async (t) => {
  const openssl = new Openssl(t);
  const ca = openssl.authority("Company");
  const repo = await repository(t);
  const people = { ada: { email: ["ada@example.com"], roles: ["platform"], keys: [] } };
  const authorities = { company: { certificate: "ca.pem", email: ["*@example.com"] } };
  const files = {
    "sluice.yaml": "version: 1\npolicies: policies/\ntargets:\n  prod: {branch: main, path: prod}\n",
    "trust/people.yaml": JSON.stringify({ people, authorities }),
    "trust/ca.pem": readFileSync(ca.certificate, "utf8"),
    "policies/certificate/policy.rego": POLICY,
    "prod/a.yaml": configMap("a", "{old: label}"),
  };
  repo.commit({ files });
  repo.branch("change");
  repo.commit({ files: { "prod/a.yaml": configMap("a", "{new: label}") } });
  const id = sign(repo, openssl, openssl.member(ca, "ada@example.com"));

  const verify = await runSluice(["verify", "main..HEAD", "--repo", ".", "--trust", "trust", "--format", "json"], {
    cwd: repo.path,
  });
  const [verification] = JSON.parse(verify.stdout).verifications;
  assert.deepEqual(
    [verify.code, verification.commit, verification.kind, verification.format],
    [0, id, "verified", "x509"],
  );
  assert.deepEqual([verification.signer.person, verification.signer.class], ["ada", "person"]);

  const check = await runSluice(["check", "--repo", ".", "--base", "main", "--head", "change", "--format", "json"], {
    cwd: repo.path,
  });
  const report = JSON.parse(check.stdout);
  assert.equal(report.verifications[0].kind, "verified", check.stdout + check.stderr);
  const found = report.targets[0].findings.map((one: { rule: string; message: string }) => [one.rule, one.message]);
  assert.deepEqual(found, [["company-certificate", "ada of platform signed"]]);
});

test("trust check says in time when an authority or its revocation list ends", async (t) => {
  const root = authority("Root", { until: Date.now() + 20 * DAY_MS });
  const ended = revocationList({ issuer: root, from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS });
  const company = { certificate: "ca.pem", email: ["*@example.com"], revocations: "ca.crl" };
  const people = { ada: { email: ["ada@example.com"], keys: [] } };
  const files = {
    "people.yaml": JSON.stringify({ people, authorities: { company } }),
    "ca.pem": pem("CERTIFICATE", root.der),
    "ca.crl": pem("X509 CRL", ended, revocationList({ issuer: root, until: Date.now() + 60 * DAY_MS })),
  };
  const folder = write(tempFolder(t), files);
  const place = `trust/people.yaml:1:${files["people.yaml"].indexOf('"company"') + 1}`;
  const run = await runSluice(["trust", "check", "--trust", folder, "--format", "json"]);
  const remarks: { group: string; what: string; state: string; message: string }[] = JSON.parse(run.stdout).remarks;
  const found = remarks.filter((one) => one.group === "authorities");
  assert.deepEqual(
    found.map(({ what, state, message }) => [
      what,
      state,
      message.replace(folder, "trust").replace(/\d{4}-\d\d-\d\d/, "DAY"),
    ]),
    [
      ["company", "FAIL", `${place}: a revocation list ended on DAY.`],
      ["company", "warn", `${place}: a certificate ends on DAY.`],
    ],
  );
  assert.equal(run.code, 1);
});
