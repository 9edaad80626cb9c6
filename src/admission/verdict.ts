/** What an API server is told of a decision; what the target's mode does to it is said here and nowhere else. */
import type { Decision } from "../decision/decision.ts";
import type { AdmissionVerdict } from "./review.ts";

const SHOWN_REASONS = 5;

/** `observe` and `warn` let through what would be denied, and say so; what could not be evaluated passes in no mode. */
export function admissionVerdict(decision: Decision, { id, index }: { id: string; index: number }): AdmissionVerdict {
  const { verdict, reasons, target } = decision;
  const allowed = verdict === "allow" || (verdict !== "error" && target.mode !== "enforce");
  const would = allowed ? reasons.map(({ message }) => `would be denied (${target.mode}): ${message}`) : [];
  const warned = decision.findings.filter(
    ({ kind, waivedBy, baseline }) => kind === "warn" && waivedBy === null && !baseline,
  );
  return {
    allowed,
    code: allowed ? null : (reasons[0]?.code ?? "denied"),
    message: allowed ? null : `${reasonsText(decision)} (decision ${id}, log ${index})`,
    warnings: [...would, ...warned.map(({ rule, message }) => `${rule}: ${message}`)],
    decision: { id, index },
  };
}

/** Whoever typed the command reads it: each thing with its remedy, a rule's own words first. */
function reasonsText({ reasons }: Decision): string {
  const shown = reasons
    .slice(0, SHOWN_REASONS)
    .map(({ message, fix }) => (fix === null ? message : `${message.replace(/\.$/, "")}. ${fix}`));
  const more = reasons.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
