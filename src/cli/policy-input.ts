/** `sluice policy input`: the document that policies see of a resource, or of the change, in the current preview. */
import type { Reason } from "../decision/decision.ts";
import { isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { PolicyInput } from "../policy/input.ts";
import { resourceName } from "../render/resource.ts";
import { jsonText } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { EXIT } from "./failure.ts";
import { REPO_OPTION } from "./opening.ts";
import { preview } from "./preview.ts";

/** Stands in place of a resource. */
const CHANGE = "change";

export const policyInput: Command = {
  name: "policy input",
  summary: "print what a policy sees",
  usage: ["policy input RESOURCE [--repo DIR] [--head REV] [--target T]", "policy input change"],
  options: {
    repo: REPO_OPTION,
    base: { type: "string", value: "REV", description: "what the change is merged into, as for check" },
    head: { type: "string", value: "REV", description: "the change (default: HEAD)" },
    target: { type: "string", value: "T", description: "the target (default: the first that has it)" },
    repository: { type: "string", value: "NAME", description: "what approvals call the repository" },
  },
  positionals: [1, 1],
  exitCodes: [
    [EXIT.fine, "printed, as JSON"],
    [EXIT.denied, "the change cannot be judged, so there is no input"],
  ],
  example:
    "sluice policy input Deployment/apps/web\nprints its input, Secret data masked; schemas lie in docs/reference/schemas",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [wanted = ""] = invocation.positionals;
  const documents = await previewDocuments(invocation);
  const found = documents.filter(({ document }) => nameOf(document) === wanted);
  const [first, ...others] = found;
  if (first === undefined)
    throw unknown(
      wanted,
      documents.map(({ document }) => nameOf(document)),
    );
  for (const { target } of others) {
    invocation.output.remark(`${wanted} of ${first.target} is shown; --target ${target} shows the other one.\n`);
  }
  invocation.output.write(jsonText(first.document));
  return EXIT.fine;
}

interface TargetDocument {
  readonly target: string;
  readonly document: PolicyInput;
}

/** @throws SluiceError the first reason where the change could not be taken as far as its input */
async function previewDocuments(invocation: Invocation): Promise<readonly TargetDocument[]> {
  return (await preview(invocation)).flatMap(({ documents, decision }) => {
    if (documents.length === 0) throw unjudged(decision.failure ?? decision.reasons[0]);
    const target = decision.target.name;
    return documents.map((document) => ({ target, document: document as unknown as PolicyInput }));
  });
}

function nameOf({ resource }: PolicyInput): string {
  return resource === null ? CHANGE : resourceName(resource.id);
}

function unknown(wanted: string, names: readonly string[]): SluiceError {
  const close = nearest(wanted, names) ?? names.find((name) => isMeant(name, wanted)) ?? names[0] ?? CHANGE;
  return new SluiceError(
    "resource-unknown",
    `There is no resource ${JSON.stringify(wanted)} in this change's targets.`,
    {
      fix: `sluice policy input ${close}`,
    },
  );
}

/** `Deployment/web` for `Deployment/apps/web`. */
function isMeant(name: string, wanted: string): boolean {
  const [kind, ...rest] = wanted.split("/");
  return name.startsWith(`${kind}/`) && name.endsWith(`/${rest.at(-1) ?? ""}`);
}

/** The reason that `sluice check` would give, under its own code and so with its own exit code. */
function unjudged(reason: Pick<Reason, "code" | "message" | "fix"> | undefined): SluiceError {
  if (reason === undefined || !isCode(reason.code)) return new SluiceError("internal", "The change has no input.");
  return new SluiceError(reason.code, reason.message, { fix: reason.fix ?? "sluice check" });
}
