/** Reads what a rule answered, strictly: anything but lists of findings in the promised form is `finding-malformed`. */
import type { Fault, RawFinding } from "./batch.ts";
import type { FindingKind } from "./finding.ts";

const KINDS = ["deny", "warn", "ask"] as const satisfies readonly FindingKind[];
const KEYS = new Set(["message", "at", "fix"]);
const MAXIMUM_FINDINGS = 1000;
const MAXIMUM_TEXT_BYTES = 4096;
/** RFC 6901. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** @returns the findings of one rule about one document, or what is wrong with its answer. */
export function readAnswer(rule: number, value: unknown): readonly RawFinding[] | Fault {
  if (!isRecord(value) || Object.keys(value).length !== KINDS.length)
    return malformed("the answer is not deny, warn and ask");
  const findings: RawFinding[] = [];
  for (const kind of KINDS) {
    const said = value[kind];
    if (!Array.isArray(said)) return malformed(`${kind} is not a set of findings`);
    if (findings.length + said.length > MAXIMUM_FINDINGS) return malformed(`more than ${MAXIMUM_FINDINGS} findings`);
    for (const one of said) {
      const finding = readFinding(rule, kind, one);
      if ("code" in finding) return finding;
      findings.push(finding);
    }
  }
  return findings;
}

function readFinding(rule: number, kind: FindingKind, value: unknown): RawFinding | Fault {
  if (!isRecord(value)) return malformed(`${kind} has a finding that is not an object`);
  const unknown = Object.keys(value).find((key) => !KEYS.has(key));
  if (unknown !== undefined)
    return malformed(`${kind} has a finding with the unknown key ${JSON.stringify(unknown).slice(0, 80)}`);
  const { message, at = "", fix = null } = value;
  if (!isText(message) || message.trim() === "")
    return malformed(`${kind} has a finding whose message is not a text of 1 to ${MAXIMUM_TEXT_BYTES} bytes`);
  if (at !== "" && (!isText(at) || !POINTER.test(at)))
    return malformed(`${kind} has a finding whose at is not a JSON pointer`);
  if (fix !== null && (!isText(fix) || fix.trim() === ""))
    return malformed(`${kind} has a finding whose fix is not a text`);
  return { rule, kind, message, at: at as string, fix: fix as string | null };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed() && Buffer.byteLength(value) <= MAXIMUM_TEXT_BYTES;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(message: string): Fault {
  return { code: "finding-malformed", message };
}
