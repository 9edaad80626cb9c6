/**
 * Reads what a rule answered, strictly, in the form of its dialect: anything else is `finding-malformed`. What another
 * engine passes over in silence (a violation without a message, an answer for fewer reviews than were asked) is one too.
 */
import type { Fault, RawFinding } from "./batch.ts";
import type { FindingKind } from "./finding.ts";
import type { AnswerForm } from "./policy-set.ts";

const KINDS = ["deny", "warn", "ask"] as const satisfies readonly FindingKind[];
const KEYS = new Set(["message", "at", "fix"]);
const MAXIMUM_FINDINGS = 1000;
const MAXIMUM_TEXT_BYTES = 4096;
/** Begins what a rule of Conftest would have said without its exception. */
export const EXCEPTED = "excepted: ";
/** RFC 6901. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** @returns the findings of one rule about one document, or what is wrong with its answer. */
export function readAnswer(rule: number, form: AnswerForm, value: unknown): readonly RawFinding[] | Fault {
  switch (form) {
    case "findings":
      return readFindings(rule, value);
    case "violations":
      return readReviews(rule, value, (review) => readSaid(review, ["msg"]));
    case "denials":
      return readReviews(rule, value, (review) => readSaid(review, ["msg", "message"]));
    case "responses":
      return readReviews(rule, value, readResponse);
    case "results":
      return readResults(rule, value, rawFinding);
    case "whole-results":
      return readResults(rule, value, wholeFinding);
  }
}

/** Of a built-in that failed in a rule whose engine goes on then. */
export function builtinWarning(rule: number, why: string): RawFinding {
  const message = `a built-in function failed and has no value, as in OPA (builtin-error): ${why}`;
  return { rule, kind: "warn", message: shorten(message), at: "", fix: null };
}

function readFindings(rule: number, value: unknown): readonly RawFinding[] | Fault {
  if (!isRecord(value) || Object.keys(value).length !== KINDS.length)
    return malformed("the answer is not deny, warn and ask");
  const findings: RawFinding[] = [];
  for (const kind of KINDS) {
    const said = value[kind];
    if (!Array.isArray(said)) return malformed(`${kind} is not a set of findings`);
    if (findings.length + said.length > MAXIMUM_FINDINGS) return tooMany();
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

/** What a rule of another engine said: a text, and whether it only warns. */
interface Said {
  readonly message: string;
  readonly kind: FindingKind;
  /** What makes two of one review different although they say the same. */
  readonly name: string;
}

/** `{"of": number of reviews asked, "reviews": [answer of each]}`; what two reviews say alike is said once. */
function readReviews(
  rule: number,
  value: unknown,
  read: (review: unknown) => readonly Said[] | Fault,
): readonly RawFinding[] | Fault {
  if (!isRecord(value) || !Array.isArray(value["reviews"])) return malformed("the answer is not one of reviews");
  const { of, reviews } = value as { of?: unknown; reviews: readonly unknown[] };
  if (of !== reviews.length || reviews.length === 0)
    return { code: "rules-missing", message: "the rule did not answer for each review" };
  const found = new Map<string, Said>();
  for (const review of reviews) {
    const said = read(review);
    if ("code" in said) return said;
    for (const one of said) found.set(one.name, one);
    if (found.size > MAXIMUM_FINDINGS) return tooMany();
  }
  return [...found.values()].map((one) => rawFinding(rule, one));
}

/** A set of texts, or of objects with one of these keys; their other keys are for the other engine's reports. */
function readSaid(value: unknown, keys: readonly string[]): readonly Said[] | Fault {
  if (!Array.isArray(value)) return malformed("the rule is not a set");
  const said: Said[] = [];
  for (const one of value) {
    const key = keys.find((name) => isRecord(one) && Object.hasOwn(one, name));
    const isPlain = typeof one === "string" && keys.includes("message");
    const message: unknown = isPlain ? one : key === undefined ? undefined : (one as Record<string, unknown>)[key];
    if (typeof message !== "string" || !message.isWellFormed())
      return malformed(`the rule said something without ${keys.join(" or ")}`);
    said.push({ message, kind: "deny", name: JSON.stringify(one) });
  }
  return said;
}

/** An AdmissionReview: `response.allowed` decides, and nothing but true or false does. */
function readResponse(value: unknown): readonly Said[] | Fault {
  const response = isRecord(value) ? value["response"] : null;
  if (!isRecord(response) || typeof response["allowed"] !== "boolean")
    return malformed("the answer has no response.allowed that is true or false");
  if (Object.hasOwn(response, "patch")) return malformed("the answer changes the object; here it is only judged");
  const warnings = Array.isArray(response["warnings"]) ? response["warnings"] : [];
  const said = warnings.filter(isText).map((message): Said => ({ message, kind: "warn", name: `warn ${message}` }));
  if (response["allowed"]) return said;
  const status = isRecord(response["status"]) ? response["status"] : {};
  const message = [status["message"], status["reason"]].find((one) => isText(one) && one.trim() !== "");
  const text = typeof message === "string" ? message : "the policy does not allow it and gives no reason";
  return [...said, { message: text, kind: "deny", name: text }];
}

/** Conftest: `{"said": set, "excepted": [true...]}`. What is excepted is a warning that says so. */
function readResults(rule: number, value: unknown, finding: typeof rawFinding): readonly RawFinding[] | Fault {
  if (!isRecord(value) || !Array.isArray(value["excepted"])) return malformed("the answer is not one of Conftest's");
  const items = value["said"];
  if (!Array.isArray(items)) return malformed("the rule is not a set");
  if (items.length > MAXIMUM_FINDINGS) return tooMany();
  const texts = items.filter((one) => typeof one === "string").map((msg) => ({ msg }));
  const said = readSaid([...texts, ...items.filter((one) => typeof one !== "string")], ["msg"]);
  if ("code" in said) return said;
  const isExcepted = value["excepted"].length > 0;
  return said.map((one) =>
    isExcepted
      ? finding(rule, { name: `${EXCEPTED}${one.name}`, kind: "warn", message: `${EXCEPTED}${one.message}` })
      : finding(rule, one),
  );
}

function rawFinding(rule: number, { kind, message }: Said): RawFinding {
  const text = message.trim() === "" ? "the policy gives no reason" : message;
  return { rule, kind, message: shorten(text), at: "", fix: null };
}

function wholeFinding(rule: number, { kind, name }: Said): RawFinding {
  return { rule, kind, message: name, at: "", fix: null };
}

/** Another engine has no bound for a message; ours is the same for all. */
function shorten(text: string): string {
  if (Buffer.byteLength(text) <= MAXIMUM_TEXT_BYTES) return text;
  return `${Buffer.from(text)
    .subarray(0, MAXIMUM_TEXT_BYTES - 4)
    .toString("utf8")
    .replace(/\ufffd+$/, "")}…`;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed() && Buffer.byteLength(value) <= MAXIMUM_TEXT_BYTES;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tooMany(): Fault {
  return malformed(`more than ${MAXIMUM_FINDINGS} findings`);
}

function malformed(message: string): Fault {
  return { code: "finding-malformed", message };
}
