/** Codes of commits, tags and the people behind them: made by real git and ssh-keygen, and put to the command line. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../src/cli/check.ts";
import { trustCheck } from "../../../src/cli/trust-check.ts";
import { trustImport } from "../../../src/cli/trust-import.ts";
import { verify } from "../../../src/cli/verify.ts";
import { runHere } from "../../support/in-process.ts";
import { repository, TestRepository } from "../../support/repository.ts";
import { configMap, deployment, document, type Files, type Json, policy } from "../../support/shop.ts";
import { sshSign } from "../../support/signing.ts";
import { type Scope, tempFolder } from "../../support/temp.ts";
import { makeWorld, type Proposal, reasonCodes, type World } from "../../support/world.ts";
import { codesOf, type Made, made, quoted } from "./entry.ts";
import { previewed } from "./manifests.ts";

const WEB = (replicas: number): Files => ({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
const IMAGE_ROBOT = { email: ["bot@example.com"], may: ["image"] };

export async function commitTable(scope: Scope) {
  const base = await makeWorld(scope, { adopt: false, target: { approvals: { count: 0 } } });
  const people = (change: Json): string => document(base.trust(change));
  const ada = (change: Json): string =>
    people({ people: { ada: base.person("ada", change), lin: base.person("lin"), jo: base.person("jo") } });

  /** A proposal, after the trust folder landed as it is given. */
  function proposed(proposal: Proposal, trust?: string): Made {
    return made(async (test) => {
      const world = base.copy(test);
      if (trust !== undefined) world.push({ files: { "trust/people.yaml": trust }, by: "lin" });
      return [reasonCodes(await previewed(world, world.propose({ files: WEB(3), ...proposal })))];
    });
  }

  /** A head that is made out of the world's repository. */
  function head(make: (world: World) => string, settings: { readonly trust?: string } = {}): Made {
    return made(async (test) => {
      const world = base.copy(test);
      if (settings.trust !== undefined) world.push({ files: { "trust/people.yaml": settings.trust }, by: "lin" });
      return [reasonCodes(await previewed(world, make(world)))];
    });
  }

  /** The proposal's raw bytes, edited. */
  function rewritten(edit: (raw: string, world: World) => string): Made {
    return head((world) => {
      const raw = world.repo.git(["cat-file", "commit", world.propose({ files: WEB(3), message: "three" })]);
      return world.repo.object("commit", `${edit(raw, world)}\n`);
    });
  }

  function tags(make: (world: World) => void): Made {
    return made(async (test) => {
      const world = base.copy(test);
      make(world);
      const args = ["--tags", "--repo", world.repo.path, "--trust", "trust", "--format", "json"];
      return [codesOf(await runHere(verify, args, world.repo.path))];
    });
  }

  const signedTag = (world: World, name: string, object: string): string => {
    const format = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${world.key("ada")}`];
    return world.repo.git([...format, "tag", "-s", "-m", name, name, object]);
  };

  /** A trust folder as it lies on disk. */
  function trustFolder(peopleYaml: string, files: Files = {}): Made {
    return made(async (test) => {
      const world = base.copy(test);
      world.repo.write({ "trust/people.yaml": peopleYaml, ...files });
      return [codesOf(await runHere(trustCheck, ["--repo", "."], world.repo.path))];
    });
  }

  const listed = (...keys: readonly unknown[]): string => ada({ keys });
  const verified = (world: World, file: string) =>
    runHere(verify, ["HEAD", "--repo", ".", "--trust", file], world.repo.path);
  const withTrustFile = (text: (world: World) => string): Made =>
    made(async (test) => {
      const world = base.copy(test);
      world.write("trusted", text(world));
      return [codesOf(await verified(world, world.path("trusted")))];
    });

  return {
    "unsigned-commit": proposed({ signed: false, message: "bump web" }),
    "unknown-signer": proposed({ by: "mallory", author: "ada <ada@example.com>" }),
    "signer-mismatch": proposed({ author: "ceo <ceo@example.com>" }),
    "forge-not-permitted": proposed({ by: "forge", author: "ada <ada@example.com>" }),
    "robot-not-permitted": proposed(
      {
        by: "max",
        author: "renovate <bot@example.com>",
        files: {
          "clusters/prod/role.yaml": document({
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: "all" },
            rules: [],
          }),
        },
      },
      people({
        people: { ada: base.person("ada"), lin: base.person("lin"), jo: base.person("jo") },
        robots: { renovate: { ...IMAGE_ROBOT, keys: [base.publicKey("max")] } },
      }),
    ),
    "key-expired": proposed(
      { seconds: Date.parse("2026-07-15") / 1000 },
      listed({ ssh: base.publicKey("ada"), until: "2026-06-30" }),
    ),
    "key-not-yet-valid": proposed({}, listed({ ssh: base.publicKey("ada"), from: "2099-01-01" })),
    "key-revoked": proposed(
      {},
      listed({ ssh: base.publicKey("ada"), revoked: { at: "2026-05-01", reason: "compromised" } }),
    ),
    "time-not-proven": proposed(
      { seconds: Date.parse("2026-06-15") / 1000 },
      listed({ ssh: base.publicKey("ada"), until: "2026-07-31" }),
    ),
    "signer-left": proposed({}, ada({ left: "2026-10-01" })),
    "octopus-merge": head((world) => {
      const one = world.propose({ files: WEB(3) });
      const two = world.propose({ files: { "clusters/prod/two.yaml": configMap("two") } });
      const three = world.propose({ files: { "clusters/prod/three.yaml": configMap("three") } });
      return signed(world, world.treeOf(one), [one, two, three]);
    }),
    "unrelated-merge": head((world) => {
      const one = world.propose({ files: WEB(3) });
      return signed(world, world.treeOf(one), [one, signed(world, world.treeOf("origin/main"), [])]);
    }),
    "evil-merge": head((world) => {
      const one = world.propose({ files: WEB(3) });
      const two = world.propose({ files: { "clusters/prod/two.yaml": configMap("two") } });
      return signed(world, world.treeOf(one), [one, two]);
    }),
    "bad-signature": rewritten((raw) => raw.replace(/three$/, "thirty")),
    "malformed-commit": made(async (test) => {
      const world = base.copy(test);
      const raw = world.repo.git(["cat-file", "commit", world.propose()]);
      const twice = world.repo.object(
        "commit",
        raw.replace(/^tree .*\n/, (line) => line + line),
      );
      const args = [twice, "--repo", ".", "--trust", "trust", "--format", "json"];
      return [codesOf(await runHere(verify, args, world.repo.path))];
    }),
    "ambiguous-signature": rewritten((raw) => raw.replace(/\ngpgsig [^\n]*(?:\n [^\n]*)*/, (all) => all + all)),
    "wrong-namespace": rewritten((raw, world) => {
      const payload = raw.replace(/\ngpgsig [^\n]*(?:\n [^\n]*)*/, "");
      const pair = { path: world.key("ada"), line: world.publicKey("ada") };
      const lines = sshSign(pair, Buffer.from(`${payload}\n`), "file")
        .toString()
        .trimEnd()
        .replaceAll("\n", "\n ");
      return payload.replace("\n\n", `\ngpgsig ${lines}\n\n`);
    }),
    "unrelated-histories": head((world) => signed(world, world.treeOf("origin/main"), [])),
    "merge-conflict": head((world) => {
      const one = world.propose({ files: WEB(3) });
      world.push({ files: WEB(4) });
      return one;
    }),
    "object-too-large": made(async (test) => {
      const world = base.copy(test);
      const raw = world.repo.git(["cat-file", "commit", world.propose({ files: WEB(3), message: "three" })]);
      const long = world.repo.object("commit", raw.replace(/three$/, "a".repeat(2 * 1024 * 1024)));
      return [codesOf(await runHere(check, ["--head", long], world.repo.path, Date.now, world.path("home")))];
    }),
    "object-malformed": head((world) => {
      const id = world.repo.git(["rev-parse", "origin/main:README.md"]);
      const twice = [1, 2].map(() => ({ mode: "100644", name: "README.md", id }));
      return signed(world, world.repo.rawTree(twice), ["origin/main"]);
    }),
    "path-hostile": made(async (test, example) => {
      const said = [];
      for (const name of quoted(example)) {
        const world = base.copy(test);
        const id = world.repo.git(["rev-parse", "origin/main:README.md"]);
        const tree = world.repo.rawTree([{ mode: "100644", name, id }]);
        said.push(reasonCodes(await previewed(world, signed(world, tree, ["origin/main"]))));
      }
      return said;
    }),
    "range-too-large": made(async (test) => {
      const world = base.copy(test);
      world.repo.git(["checkout", "--quiet", "-B", "old", "origin/main"]);
      const first = world.repo.head();
      world.repo.history(100_001);
      const args = ["--base", first, "--head", "old", "--format", "json"];
      return [codesOf(await runHere(check, args, world.repo.path, Date.now, world.path("home")))];
    }),

    "unsigned-tag": tags((world) => world.repo.git(["tag", "v1.0"])),
    "tag-mismatch": tags((world) => {
      signedTag(world, "v1.0", "HEAD");
      world.repo.git(["update-ref", "refs/tags/v9.9", world.repo.git(["rev-parse", "refs/tags/v1.0"])]);
    }),
    "tag-target": tags((world) => {
      signedTag(world, "keys", world.repo.git(["hash-object", "-w", "--stdin"], { input: "keys" }));
    }),
    "malformed-tag": tags((world) => {
      signedTag(world, "v1.0", "HEAD");
      const raw = world.repo.git(["cat-file", "tag", "v1.0"]);
      const twice = raw.replace("\n", `\nobject ${world.repo.head()}\n`);
      writeFileSync(join(world.repo.path, ".git/refs/tags/v1.0"), `${world.repo.object("tag", `${twice}\n`)}\n`);
    }),

    "trust-missing": trustFolder("", { "trust/people.yaml": null }),
    "trust-invalid": made(async (test, example) => {
      const [line = ""] = quoted(example);
      const until = line.replace("until: ", "");
      return trustFolder(listed({ ssh: base.publicKey("ada"), until })).make(test, example);
    }),
    "trust-file-outside": trustFolder(listed({ file: "../../etc/ada.asc" })),
    "trust-file-missing": trustFolder(listed({ file: "keys/ada.asc" })),
    "trust-key-invalid": trustFolder(listed({ file: "keys/ada.asc" }), {
      "trust/keys/ada.asc": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    }),
    "trust-key-shared": trustFolder(
      people({ people: { ada: base.person("ada"), jo: base.person("jo", { keys: [base.publicKey("ada")] }) } }),
    ),
    "allowed-signers-invalid": withTrustFile(
      (world) => `ada@example.com valid-until="20270101" ${world.publicKey("ada")}\n`,
    ),
    "signer-principal-missing": withTrustFile((world) => `${world.publicKey("ada")} ada@example.com\n`),
    "keyring-invalid": made(async (test) => {
      const world = base.copy(test);
      world.write("ring.gpg", Buffer.from([0x99, 0x01, 0x0d, 0x04]));
      return [codesOf(await runHere(trustImport, ["--keyring", world.path("ring.gpg")], world.repo.path))];
    }),
    "trust-import-invalid": made(async (test) => {
      const world = base.copy(test);
      world.write("flux.yaml", configMap("keys"));
      return [codesOf(await runHere(trustImport, ["--flux", world.path("flux.yaml")], world.repo.path))];
    }),
    "trust-import-empty": made(async (test) => {
      const { path } = await repository(test, { path: tempFolder(test) });
      const repo = new TestRepository(path);
      repo.commit();
      return [codesOf(await runHere(trustImport, ["--from-history", "500"], path))];
    }),

    "governance-approval-missing": proposed({
      files: { "policies/no-privileged/policy.rego": `${base.repo.read("policies/no-privileged/policy.rego")}\n` },
    }),
    "new-judge-unusable": proposed({ files: { "policies/no-privileged/policy.rego": "package broken\n\ndeny if\n" } }),
    "policy-denied": proposed({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) } }),
    "ask-unanswered": head((world) => {
      const ask = `ask contains {"message": "look at it", "at": ""} if input.resource.id.kind == "Ingress"`;
      world.push({ files: { "policies/ask/policy.rego": policy("ask", ask, ["role: security"]) } });
      const metadata = { name: "web", namespace: "apps" };
      const ingress = document({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata });
      return world.propose({ files: { "clusters/prod/ingress.yaml": ingress } });
    }),
    "waivers-invalid": head((world) => {
      world.push({
        files: {
          "sluice.yaml": edited(world, (now) => ({ ...now, waivers: "waivers.yaml" })),
          "waivers.yaml": "- rule: no-privileged\n  target: prod\n  untill: 2027-01-01\n",
        },
      });
      return world.propose({ files: WEB(3) });
    }),
    "approval-missing": head((world) => {
      const approvals = { count: 2, roles: ["platform"] };
      world.push({ files: { "sluice.yaml": edited(world, (now) => withProd(now, { approvals })) } });
      const one = world.propose({ files: WEB(3) });
      world.approve("jo", one);
      return one;
    }),
    "object-unruled": head((world) => {
      world.push({
        files: {
          "sluice.yaml": edited(world, (now) => withProd(now, { unruled: "deny" })),
          "policies/bad-label/policy.rego": null,
        },
      });
      return world.propose({
        files: {
          "clusters/prod/certificate.yaml": document({
            apiVersion: "cert-manager.io/v1",
            kind: "Certificate",
            metadata: { name: "web", namespace: "apps" },
          }),
        },
      });
    }),
  } as const;
}

function signed(world: World, tree: string, parents: readonly string[]): string {
  return world.repo.commitTree(tree, parents, {
    author: "ada <ada@example.com>",
    signWith: world.key("ada"),
  });
}

function edited(world: World, change: (now: Json) => Json): string {
  return document(change(JSON.parse(world.repo.git(["show", "origin/main:sluice.yaml"])) as Json));
}

function withProd(now: Json, change: Json): Json {
  const { prod } = now["targets"] as Record<string, Json>;
  return { ...now, targets: { prod: { ...prod, ...change } } };
}
