/** `verify --tags`: every reference under refs/tags/, whose tag object it holds, who signed that, and under which name. */

import { signerReport } from "../gate/json/verification.ts";
import type { GitRepository } from "../git/repository.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import { verifyTagRef } from "../signature/tag-ref.ts";
import type { TagVerification } from "../signature/verification.ts";
import { openVerifier } from "../signature/verify.ts";
import { EXIT } from "./failure.ts";
import type { GivenTime } from "./given-time.ts";
import type { MergetagReport, TagReport, VerifyTagsReport } from "./reports/schemas/tags.ts";
import { type FoundTrust, trustReport } from "./trust-path.ts";

const TAGS = "refs/tags/";
const MAXIMUM_TAGS = 100_000;

/** @throws SluiceError `empty-range` where there is no tag: nothing passes by absence */
export async function verifyTags(
  found: FoundTrust,
  time: GivenTime,
  repository: GitRepository,
  top: string,
): Promise<VerifyTagsReport> {
  const refs = await repository.refs(TAGS, MAXIMUM_TAGS);
  if (refs.length === 0) {
    throw new SluiceError("empty-range", "There is no tag in the repository, so nothing is verified.", {
      fix: "git fetch --tags, or name a commit: sluice verify HEAD --trust PATH",
    });
  }
  const verifier = await openVerifier(found.trust, repository.objectFormat);
  const tags: TagReport[] = [];
  for (const ref of refs) {
    const tag = await verifyTagRef(ref, repository, verifier, { instant: time.instant, basis: "now" });
    tags.push({ ...tagReport(tag, time), ref: ref.name });
  }
  const rejected = tags.filter((one) => one.kind === "rejected").length;
  return {
    apiVersion: "sluice/v1",
    kind: "VerifyTags",
    authority: "preview",
    exitCode: rejected === 0 ? EXIT.fine : EXIT.denied,
    repository: top,
    trust: trustReport(found),
    at: formatTime(time.instant),
    informational: time.isGiven,
    counts: { tags: tags.length, verified: tags.length - rejected, rejected },
    tags,
  };
}

export function tagReport(tag: TagVerification, time: GivenTime): MergetagReport {
  const { kind, reason, detail, name, format, payloadSha256 } = tag;
  return {
    kind,
    reason,
    detail,
    tag: tag.tag,
    name,
    target: tag.target,
    format,
    signer: tag.signer === null ? null : signerReport(tag.signer),
    timeBasis: time.isGiven ? "given" : "now",
    payloadSha256,
  };
}
