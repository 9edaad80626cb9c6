/** What a schema finds wrong in an object of a policy folder, with its places. */
import type * as z from "zod";
import type { Code } from "../../lib/codes.ts";
import { escapeToken } from "../../lib/json-pointer.ts";
import { mistake, type PolicyDocument, type PolicyProblem } from "../dialect.ts";

export const UNKNOWN_KEY = "has the unknown key";

export function issueProblems(
  code: Code,
  { file, place }: Pick<PolicyDocument, "file" | "place">,
  issues: readonly z.core.$ZodIssue[],
): readonly PolicyProblem[] {
  return issues.map((issue) => {
    const extra = issue.code === "unrecognized_keys" ? issue.keys : [];
    const path = [...issue.path, ...extra.slice(0, 1)].map(String);
    const { line, column } = place(path.map((key) => `/${escapeToken(key)}`).join(""));
    const where = issue.path.map(String).join(".");
    const message =
      extra.length > 0
        ? `${where === "" ? "it" : where} ${UNKNOWN_KEY} ${extra.join(", ")}.`
        : `${where === "" ? "it" : where}: ${issue.message}.`;
    return mistake(code, message, file, line, column);
  });
}
