/** `verify`: who signed which commits, and nothing else; what a target requires of them is for `check`. */
import { resolve } from "node:path";
import { verificationReport } from "../gate/json/verification.ts";
import type { Commit, CommitId } from "../git/object.ts";
import { openPreviewRepository } from "../git/preview.ts";
import type { GitRepository } from "../git/repository.ts";
import { findRepository } from "../git/source.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import { withPool } from "../signature/mathematics.ts";
import type { TagVerification, Verification } from "../signature/verification.ts";
import { openVerifier } from "../signature/verify.ts";
import { verifyEach } from "../signature/verify-each.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, listOption, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { type GivenTime, givenTime } from "./given-time.ts";
import type { VerificationReport, VerifyReport } from "./reports/schemas.ts";
import { verifyTagsText } from "./reports/verify-tags-text.ts";
import { titleOf, verifyText } from "./reports/verify-text.ts";
import { type FoundTrust, readTrustPath, trustReport, withoutRevoked } from "./trust-path.ts";
import { tagReport, verifyTags } from "./verify-tags.ts";

export const verify: Command = {
  name: "verify",
  summary: "verify signatures only",
  usage: [
    "verify REV --trust PATH",
    "verify BASE..HEAD --trust PATH",
    "verify --all REV --trust PATH",
    "verify --tags --trust PATH",
  ],
  options: {
    all: { type: "boolean", description: "every commit reachable from REV; unsigned ones are rejected too" },
    tags: { type: "boolean", description: "every tag: its signature, and its name against its reference" },
    repo: { type: "string", value: "DIR", description: "the repository; the current folder when absent" },
    trust: {
      type: "string",
      value: "PATH",
      description: "a trust folder, an allowed_signers file or an armoured keyring",
    },
    revoked: { type: "string", value: "FILE", description: "public SSH keys, one a line, that verify nothing" },
    at: { type: "string", value: "TIME", description: "look at the trust as of then; for information only" },
    ...ANSWER_OPTIONS,
    format: {
      ...ANSWER_OPTIONS.format,
      values: ["text", "json", "ndjson"],
      description: "text (default), json or ndjson; may be repeated",
    },
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "every commit or tag is verified"],
    [1, "at least one is rejected"],
  ],
  example: "sluice verify --all HEAD --trust trust/\nsays who signed each commit that HEAD stands on",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const formats = formatsOf(invocation, ["text", "json", "ndjson"]);
  const wanted = readWanted(invocation);
  const time = givenTime(invocation);
  const path = textOption(invocation, "trust");
  if (path === undefined) throw new SluiceError("usage", "--trust PATH is missing.", { fix: "--trust trust/" });
  const found = withoutRevoked(await readTrustPath(path, invocation.folder), invocation);
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const top = findRepository(folder) ?? folder;
  const repository = await openPreviewRepository({ path: top, scratch: invocation.surroundings.temporaryFolder });
  const done = invocation.output.progress("verifying");
  try {
    if (wanted === "tags") {
      const report = await verifyTags(found, time, repository, top);
      answer(invocation, report, () => verifyTagsText(report), report.tags);
      return report.exitCode;
    }
    const range = await readRange(repository, wanted);
    const emit =
      formats.join() === "ndjson" && listOption(invocation, "output").length === 0 ? writer(invocation) : null;
    const { report, titles } = await verifyRange(range, found, time, repository, top, emit);
    if (emit === null) answer(invocation, report, () => verifyText(report, titles), report.verifications);
    return report.exitCode;
  } finally {
    done();
    await repository.close();
  }
}

type Emit = (lines: readonly VerificationReport[]) => void;

/** Lines alone are written as they come and held by nobody; whoever reads them waits for the exit code before any trust. */
function writer({ output }: Invocation): Emit {
  return (lines) => output.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

interface Wanted {
  readonly kind: "one" | "range" | "all";
  readonly base: string | null;
  readonly head: string;
}

function readWanted(invocation: Invocation): Wanted | "tags" {
  const [revision] = invocation.positionals;
  if (isSet(invocation, "tags")) {
    if (revision === undefined && !isSet(invocation, "all")) return "tags";
    throw new SluiceError("usage", "--tags looks at every tag and stands alone.", { fix: "sluice verify --help" });
  }
  if (revision === undefined || revision === "") {
    throw new SluiceError("usage", "There is no revision to verify.", { fix: "sluice verify HEAD --trust PATH" });
  }
  if (!revision.includes("..")) return { kind: isSet(invocation, "all") ? "all" : "one", base: null, head: revision };
  const [base = "", head = "", ...more] = revision.split("..");
  if (isSet(invocation, "all") || more.length > 0 || revision.includes("...")) {
    throw new SluiceError("usage", "A range is BASE..HEAD, and stands without --all.", { fix: "sluice verify --help" });
  }
  return { kind: "range", base: base === "" ? "HEAD" : base, head: head === "" ? "HEAD" : head };
}

interface Range {
  readonly base: CommitId | null;
  readonly head: CommitId;
  readonly parts: AsyncIterable<readonly Commit[]> | Iterable<readonly Commit[]>;
  /** As written, for the message that it is empty. */
  readonly shown: string;
}

async function readRange(repository: GitRepository, wanted: Wanted): Promise<Range> {
  const head = await repository.resolve(wanted.head);
  const shown = `${wanted.base}..${wanted.head}`;
  if (wanted.kind === "one") return { base: null, head, parts: [[await repository.commit(head)]], shown };
  const base = wanted.base === null ? null : await repository.resolve(wanted.base);
  return { base, head, parts: repository.stream(base === null ? [] : [base], head), shown };
}

interface VerifiedRange {
  readonly report: VerifyReport;
  /** Of the rejected commits. */
  readonly titles: ReadonlyMap<string, string>;
}

/** @throws SluiceError `empty-range`: nothing passes by absence */
async function verifyRange(
  range: Range,
  found: FoundTrust,
  time: GivenTime,
  repository: GitRepository,
  top: string,
  emit: Emit | null,
): Promise<VerifiedRange> {
  const verifier = await openVerifier(found.trust, repository.objectFormat, withPool());
  const at = { instant: time.instant, basis: "now" } as const;
  const verifications: VerificationReport[] = [];
  const titles = new Map<string, string>();
  const counts = { commits: 0, verified: 0, rejected: 0 };
  for await (const part of range.parts) {
    const lines = await verifyEach(part, async (commit) => {
      const verification = await verifier.verify(commit, at);
      counts[verification.kind] += 1;
      if (verification.kind === "rejected" && emit === null) titles.set(commit.id, titleOf(commit));
      return toReport(verification, await verifier.verifyMergetags(commit, at), time);
    });
    counts.commits += part.length;
    if (emit === null) verifications.push(...lines);
    else emit(lines);
  }
  if (counts.commits === 0) {
    throw new SluiceError("empty-range", `There is no commit in ${range.shown}, so nothing is verified.`, {
      fix: "name a range that holds a commit",
    });
  }
  const report: VerifyReport = {
    apiVersion: "sluice/v1",
    kind: "Verify",
    authority: "preview",
    exitCode: counts.rejected === 0 ? EXIT.fine : EXIT.denied,
    repository: top,
    base: range.base,
    head: range.head,
    trust: trustReport(found),
    at: formatTime(time.instant),
    informational: time.isGiven,
    counts,
    verifications,
  };
  return { report, titles };
}

function toReport(verification: Verification, kept: readonly TagVerification[], time: GivenTime): VerificationReport {
  const timeBasis = time.isGiven ? "given" : "now";
  const mergetags = kept.map((one) => tagReport(one, time));
  return { ...verificationReport(verification), timeBasis, payloadSha256: verification.payloadSha256, mergetags };
}
