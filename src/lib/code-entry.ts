/** What a code does to the answer: deny exits 1, error 3, usage 2, wait 4; refused and rejected exit 1; drift 5. */
export type CodeClass = "deny" | "error" | "usage" | "wait" | "refused" | "rejected" | "warning";

export interface CodeEntry {
  readonly class: CodeClass;
  /** What it means, one or two plain sentences in the present tense. */
  readonly means: string;
  /** A situation or command that produces it, as a person would meet it. */
  readonly example: string;
  /** What to do, ending in a command where there is one. */
  readonly fix: string;
}
