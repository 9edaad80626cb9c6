/** Whom HEAD shows: only what it really says, for a person to confirm. A key is taken only if it made HEAD's signature. */
import type { Commit, Ident, ObjectFormat } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Clock } from "../lib/time.ts";
import { readAllowedSigners } from "../signature/allowed-signers.ts";
import { splitCommit } from "../signature/commit-payload.ts";
import { keyInSignature } from "../signature/formats/ssh.ts";
import { peopleSchema } from "../signature/people-schema.ts";
import { sshKeyFromLine } from "../signature/ssh-key.ts";
import { openVerifier } from "../signature/verify.ts";
import { type FirstPerson, keyLine, slug } from "./starter.ts";
import { isForgeAddress } from "./survey.ts";

/** git signs as the committer; unsigned, or committed by a forge, HEAD shows its author. */
export async function firstPerson(
  head: Commit | null,
  objectFormat: ObjectFormat,
  givenKey: string | null,
  clock: Clock,
): Promise<FirstPerson | null> {
  if (head === null) return givenKey === null ? null : withGivenKey({ id: "you", email: "you@example.com" }, givenKey);
  const signed = givenKey === null ? await keyOfHead(head, objectFormat, clock) : null;
  const who = shown(signed === null ? head.author : head.committer);
  if (who === null) return null;
  return givenKey === null ? { ...who, key: signed } : withGivenKey(who, givenKey);
}

function shown({ name, email }: Ident): Pick<FirstPerson, "id" | "email"> | null {
  const id = slug(name.split(/\s+/)[0] ?? "") || slug(email.split("@")[0] ?? "") || "person";
  const address = email.toLowerCase();
  const isUsable = peopleSchema.safeParse({ people: { [id]: { email: [address], keys: [] } } }).success;
  return isUsable ? { id, email: address } : null;
}

async function keyOfHead(head: Commit, objectFormat: ObjectFormat, clock: Clock): Promise<FirstPerson["key"]> {
  const split = splitCommit(head.raw, objectFormat);
  if (split.kind !== "signed" || split.format !== "ssh" || isForgeAddress(head.committer.email)) return null;
  const key = keyInSignature(split.signature);
  if (key === null) return null;
  const line = keyLine(key.type, key.blob, "head");
  const verifier = await openVerifier(readAllowedSigners(`head ${line}\n`, "HEAD"), objectFormat);
  const verification = await verifier.verify(head, { instant: clock(), basis: "now" });
  if (verification.kind !== "verified") return null;
  const source = `which signed ${head.id.slice(0, 7)}`;
  return {
    line: keyLine(key.type, key.blob, slug(head.committer.name) || "key"),
    fingerprint: key.fingerprint,
    source,
  };
}

/** @throws SluiceError `usage` for anything but one public SSH key line */
function withGivenKey(who: Pick<FirstPerson, "id" | "email">, text: string): FirstPerson {
  const key = sshKeyFromLine(text.trim());
  if (key.kind === "key") {
    const line = keyLine(key.type, key.blob, who.id);
    return { ...who, key: { line, fingerprint: key.fingerprint, source: "given with --key" } };
  }
  throw new SluiceError("usage", `--key names no public SSH key. ${key.detail}`, {
    fix: "--key ~/.ssh/id_ed25519.pub; an OpenPGP key goes to trust/keys/ later",
  });
}
