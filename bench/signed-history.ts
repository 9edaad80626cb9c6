/** A history in which every commit is signed, as long as one likes. */
import { type CommitId, commitId } from "../src/git/object.ts";
import { hashObject } from "../src/git/parse.ts";
import { writeCommits } from "../test/support/pack.ts";
import { runGit } from "../test/support/repository.ts";
import { signedRaw, TREE } from "../test/support/signing.ts";
import { type SshSigner, sshSig } from "../test/support/sshsig.ts";

/** Commits in a row, each signed, in one pack: fast-import knows no signatures. */
export function writeHistory(folder: string, size: number, signerAt: (at: number) => SshSigner): readonly CommitId[] {
  runGit(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  runGit(folder, ["hash-object", "-w", "-t", "tree", "--stdin"], { input: "" });
  const ids: CommitId[] = [];
  const raws: Buffer[] = [];
  let parent = "";
  for (let at = 0; at < size; at += 1) {
    const who = `Ada <ada@example.com> ${1_793_491_200 + at} +0000`;
    const headers = `tree ${TREE}\n${parent}author ${who}\ncommitter ${who}\n`;
    const message = `\nchange ${at}\n`;
    const raw = signedRaw(sshSig(signerAt(at), Buffer.from(headers + message)), headers, message);
    const id = commitId(hashObject("sha1", "commit", raw));
    raws.push(raw);
    parent = `parent ${id}\n`;
    ids.push(id);
  }
  writeCommits(folder, raws);
  runGit(folder, ["update-ref", "refs/heads/main", ids.at(-1) ?? ""]);
  return ids;
}
