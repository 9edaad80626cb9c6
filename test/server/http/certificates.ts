/** Authorities and certificates of openssl's own making. */
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Wish {
  /** As openssl writes it: `/O=example/CN=sam`. */
  readonly subject: string;
  /** Name of the authority. */
  readonly by: string;
  readonly use: "serverAuth" | "clientAuth";
  /** subjectAltName. */
  readonly names?: string;
  /** From today; negative for one that has ended. */
  readonly days?: number;
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}

function makeKey(folder: string, name: string): void {
  openssl(folder, ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`]);
  chmodSync(join(folder, `${name}.key`), 0o600);
}

/** Writes NAME.key and NAME.crt. */
export function makeAuthority(folder: string, name: string, subject: string): void {
  makeKey(folder, name);
  openssl(folder, [
    "req",
    "-x509",
    "-new",
    "-key",
    `${name}.key`,
    "-subj",
    subject,
    "-days",
    "3650",
    "-out",
    `${name}.crt`,
  ]);
}

/** Writes NAME.key and NAME.crt. */
export function makeCertificate(folder: string, name: string, { subject, by, use, names, days = 3650 }: Wish): void {
  makeKey(folder, name);
  openssl(folder, ["req", "-new", "-key", `${name}.key`, "-subj", subject, "-out", `${name}.csr`]);
  const alternatives = names === undefined ? "" : `subjectAltName=${names}\n`;
  writeFileSync(join(folder, `${name}.ext`), `extendedKeyUsage=${use}\n${alternatives}`);
  const request = ["x509", "-req", "-in", `${name}.csr`, "-CA", `${by}.crt`, "-CAkey", `${by}.key`, "-CAcreateserial"];
  openssl(folder, [...request, "-days", String(days), "-extfile", `${name}.ext`, "-out", `${name}.crt`]);
}
