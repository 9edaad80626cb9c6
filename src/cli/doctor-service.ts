/** `doctor`, of a gate that runs as a service: what the service has left word of beside its log. */
import { formatTime, type Instant } from "../lib/time.ts";
import { isAlive, readStatus, type Status } from "../server/status.ts";
import { fine, type Remark, warning } from "./remark.ts";

/** It writes once a minute; twice it may be late. */
const SILENT_AFTER_MS = 3 * 60_000;
const WHAT = "service";

/** None where no service has run since the last orderly end. `path` is gate.yaml's. */
export function serviceRemarks(group: string, data: string, path: string, now: Instant): readonly Remark[] {
  const status = readStatus(data);
  return status === null ? [] : [serviceRemark(group, status, path, now), ...repositoryRemarks(group, status)];
}

function serviceRemark(group: string, status: Status, path: string, now: Instant): Remark {
  const { pid, version, startedAt, at } = status;
  const since = formatTime(startedAt);
  if (!isAlive(status)) {
    const sentence = `The service of ${since} ended without being told to; what it left is finished by the next start.`;
    return warning(group, WHAT, sentence, `sluice serve --config ${path}`);
  }
  if (now - at > SILENT_AFTER_MS) {
    const sentence = `Process ${pid} runs, and has signed no head since ${formatTime(at)}.`;
    return warning(group, WHAT, sentence, "look at what it says on standard error, then restart it");
  }
  return fine(group, WHAT, `runs since ${since}, process ${pid}, version ${version}`);
}

function repositoryRemarks(group: string, { failures }: Status): readonly Remark[] {
  return failures.map((name) =>
    warning(
      group,
      `repository ${name}`,
      "The service could not fetch it the last time.",
      "look at its URL and network",
    ),
  );
}
