/** Certificates, revocation lists, signatures and timestamps by real openssl and gpgsm, as a company would make them. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Scope, tempFolder } from "./temp.ts";

export interface Issued {
  /** Paths of the certificate and of its key, in PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** As openssl's options take them. */
export interface Odd {
  readonly subject?: string;
  readonly serial?: string;
}

const AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
const KEY = {
  rsa: ["rsa:2048"],
  p256: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  ed25519: ["ed25519"],
} as const;

export type KeyKind = keyof typeof KEY;

export class Openssl {
  readonly folder: string;
  #count = 0;

  constructor(scope: Scope) {
    this.folder = tempFolder(scope);
  }

  run(args: readonly string[], input: Uint8Array | string = ""): Buffer {
    const answer = spawnSync("openssl", args, { cwd: this.folder, input });
    if (answer.status === 0) return answer.stdout;
    throw new Error(`openssl ${args.join(" ")} ended with ${answer.status}: ${answer.stderr}`);
  }

  /** Whether openssl ends well. */
  agrees(args: readonly string[], input: Uint8Array | string = ""): boolean {
    return spawnSync("openssl", args, { cwd: this.folder, input }).status === 0;
  }

  write(name: string, content: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Self-signed where there is no issuer. */
  issue(name: string, extensions: string, issuer?: Issued, kind: KeyKind = "p256", odd: Odd = {}): Issued {
    this.#count += 1;
    const base = join(this.folder, `${this.#count}`);
    const files = { certificate: `${base}.pem`, key: `${base}.key` };
    const config = this.write(`${this.#count}.cnf`, extensions);
    const request = ["req", "-new", "-newkey", ...KEY[kind], "-nodes", "-keyout", files.key];
    const csr = this.run([...request, "-subj", odd.subject ?? `/CN=${name}`, "-out", "-"]);
    const signer = issuer === undefined ? ["-signkey", files.key] : ["-CA", issuer.certificate, "-CAkey", issuer.key];
    const serial = ["-set_serial", odd.serial ?? `${this.#count}`];
    this.run(["x509", "-req", ...signer, ...serial, "-days", "30", "-extfile", config, "-out", files.certificate], csr);
    return files;
  }

  authority(name: string, issuer?: Issued): Issued {
    return this.issue(name, AUTHORITY, issuer);
  }

  member(issuer: Issued, email: string, kind: KeyKind = "p256"): Issued {
    const usage = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n";
    const purpose = "extendedKeyUsage=emailProtection\n";
    return this.issue(
      email,
      `${usage}${purpose}subjectAltName=email:${email}\nsubjectKeyIdentifier=hash\n`,
      issuer,
      kind,
    );
  }

  /** What `openssl cms -sign` makes, in the armour that git stores. */
  sign(signer: Issued, payload: Uint8Array, options: readonly string[] = []): string {
    const args = ["cms", "-sign", "-binary", "-outform", "PEM", "-signer", signer.certificate, "-inkey", signer.key];
    return this.run([...args, ...options], payload)
      .toString()
      .replaceAll(/ CMS-----/g, " SIGNED MESSAGE-----");
  }

  /** openssl's own database of what an authority revoked, and the list that it makes of it. */
  revocations(
    issuer: Issued,
    revoked: readonly { certificate: string; reason: string }[],
    hours = 24,
    options: readonly string[] = [],
  ): string {
    const folder = join(this.folder, `ca${++this.#count}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "index.txt"), "");
    writeFileSync(join(folder, "number"), "01\n");
    const config = join(folder, "ca.cnf");
    const content = `[ca]\ndefault_ca=x\n[x]\ndatabase=${folder}/index.txt\ncrlnumber=${folder}/number\ndefault_md=sha256\n`;
    writeFileSync(config, content);
    const common = ["ca", "-config", config, "-cert", issuer.certificate, "-keyfile", issuer.key];
    for (const one of revoked) this.run([...common, "-revoke", one.certificate, "-crl_reason", one.reason]);
    return this.run([...common, ...options, "-gencrl", "-crlhours", `${hours}`]).toString();
  }

  /** An RFC 3161 token over these bytes by `openssl ts`. */
  timestamp(signer: Issued, chain: string, bytes: Uint8Array): Buffer {
    this.#count += 1;
    const [data, query, reply, serial] = ["data", "tsq", "tsr", "serial"].map((name) => `${this.#count}.${name}`);
    this.write(data ?? "", bytes);
    const policy = `[tsa]\ndefault_tsa=t\n[t]\nserial=${serial}\ndefault_policy=1.2.3.4\ndigests=sha256\nsigner_digest=sha256\n`;
    const config = this.write(`${this.#count}.cnf`, `${policy}ess_cert_id_alg=sha256\nordering=no\ntsa_name=no\n`);
    this.write(serial ?? "", "01\n");
    this.run(["ts", "-query", "-data", data ?? "", "-sha256", "-cert", "-out", query ?? ""]);
    const answer = ["ts", "-reply", "-config", config, "-queryfile", query ?? "", "-out", reply ?? "", "-token_out"];
    this.run([...answer, "-signer", signer.certificate, "-inkey", signer.key, "-chain", chain]);
    return readFileSync(join(this.folder, reply ?? ""));
  }
}

export function derOf(pemText: string): Buffer {
  return Buffer.from(pemText.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

/** A gpgsm home with one signer in it; its agent ends with the scope. */
export class GpgsmHome {
  readonly path: string;

  constructor(scope: Scope, openssl: Openssl, root: Issued, signer: Issued) {
    this.path = join(tempFolder(scope), "s");
    mkdirSync(this.path, { mode: 0o700 });
    scope.after(() => spawnSync("gpgconf", ["--kill", "all"], { env: this.env }));
    const hex = openssl.run(["x509", "-in", root.certificate, "-noout", "-fingerprint", "-sha1"]).toString();
    writeFileSync(join(this.path, "trustlist.txt"), `${hex.split("=")[1]?.replaceAll(/[:\n]/g, "")} S relax\n`);
    writeFileSync(join(this.path, "gpg-agent.conf"), "allow-loopback-pinentry\n");
    // gpgsm reads a PKCS#12 file only with these old ciphers.
    const old = ["-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    const bundle = ["-in", signer.certificate, "-inkey", signer.key, "-certfile", root.certificate];
    const p12 = openssl.run(["pkcs12", "-export", ...old, ...bundle, "-passout", "pass:x"]);
    const file = openssl.write("signer.p12", p12);
    // The root first: a signer whose issuer is not there yet is an error to gpgsm, sometimes.
    spawnSync("gpgsm", [...OFFLINE, "--import", root.certificate], { env: this.env });
    const answer = spawnSync("gpgsm", [...OFFLINE, "--passphrase-fd", "0", "--import", file], {
      env: this.env,
      input: "x\n",
    });
    if (answer.status !== 0) throw new Error(`gpgsm ended with ${answer.status}: ${answer.stderr}`);
  }

  get env(): Record<string, string> {
    return { PATH: process.env["PATH"] ?? "", GNUPGHOME: this.path, HOME: this.path, LC_ALL: "C" };
  }

  /** A program for git's `gpg.x509.program` that signs without asking anybody. */
  program(openssl: Openssl): string {
    const script = `#!/bin/sh\nexec gpgsm ${OFFLINE.join(" ")} --passphrase-fd 9 "$@" 9<'${openssl.write("pass", "x\n")}'\n`;
    const path = openssl.write("gpgsm.sh", script);
    spawnSync("chmod", ["755", path]);
    return path;
  }
}

const OFFLINE = ["--batch", "--quiet", "--disable-crl-checks", "--disable-dirmngr", "--pinentry-mode", "loopback"];
