/**
 * Remembers what the rules said of one object. Sound only where no rule of scope resource can see anything but the
 * object: then policy set and resource are everything an answer follows from. Nothing that failed is remembered.
 */
import { sha256Hex } from "../lib/digest.ts";
import type { Memo } from "../lib/memo.ts";
import { VERSION } from "../lib/version.ts";
import { identityKey, resourceName } from "../render/resource.ts";
import { compareFindings, type Finding } from "./finding.ts";
import type { PolicyInput } from "./input.ts";
import { resourceDigests } from "./input-digest.ts";
import { selects } from "./match.ts";
import type { Evaluated, PolicyEngine, PolicyFile, PolicySet, Rule } from "./policy-set.ts";

const INPUT = /\binput\b/g;
const OWN_PART = /^\.(?:resource|pod)\b/;

/**
 * Whether a policy's text names only `input.resource` and `input.pod`. Every way to the input writes the word `input`
 * (an import, an alias, `with`, a bracket), so a word that is followed by anything else says no; so do comments.
 */
export function readsOnlyOwnParts({ text }: PolicyFile): boolean {
  return [...text.matchAll(INPUT)].every((match) => OWN_PART.test(text.slice(match.index + "input".length)));
}

/** Not the text "data" and not the key of a pair, neither of which can name another package. */
const DATA = /(?<![.\w])data\b(?![":])((?:\.[A-Za-z_]\w*)*)/g;

/**
 * Whether a policy's text could name something of a package: the package, what lies below it, or a folder above it. A
 * rule of scope change sees the whole input, so a rule that asks it sees what is not remembered.
 */
export function mayAsk({ text }: PolicyFile, name: string): boolean {
  const wanted = name.split(".");
  return [...text.matchAll(DATA)].some((match) => {
    const path = (match[1] ?? "").split(".").slice(1);
    return path.slice(0, wanted.length).every((part, index) => part === wanted[index]);
  });
}

/** The same answers as the engine's; documents that are remembered are not evaluated again. */
export function remembering(engine: PolicyEngine, memo: Memo): PolicyEngine {
  return {
    prepare: (set) => engine.prepare(set),
    close: () => engine.close(),
    async evaluate(set, documents, given, around, external) {
      if (!set.readsOnlyOwnParts) return engine.evaluate(set, documents, given, around, external);
      const digests = given ?? resourceDigests(documents);
      const asked = documents.map((document, at) => recall(set, document, digests[at] ?? "", memo));
      const open = asked.filter((one) => one.findings === null);
      const fresh =
        open.length === 0
          ? NOTHING
          : await engine.evaluate(
              set,
              open.map((one) => one.document),
            );
      remember(open, fresh, memo);
      return joined(asked, fresh);
    },
  };
}

const NOTHING: Evaluated = { findings: [], rulesExpected: 0, rulesEvaluated: 0, unruled: [], notEvaluated: [] };

interface Asked {
  readonly document: PolicyInput;
  /** null where the answer follows from more than the object: then it is not remembered. */
  readonly name: string | null;
  readonly expected: readonly string[];
  /** null where it has to be evaluated. */
  readonly findings: readonly Finding[] | null;
}

function recall(set: PolicySet, document: PolicyInput, digest: string, memo: Memo): Asked {
  const expected = set.rules.filter((rule: Rule) => selects(rule, document)).map((rule) => rule.id);
  if (document.resource === null || isAboutRequest(set, document)) {
    return { document, name: null, expected, findings: null };
  }
  // `pod` is made from the object, so the resource alone names them both.
  const name = sha256Hex(`${VERSION}\n${set.digest}\n${digest}`);
  const text = memo.get(name);
  const known = text === null ? null : (JSON.parse(text) as { rules: readonly string[]; findings: readonly Finding[] });
  const isSame = known !== null && known.rules.join() === expected.join();
  return { document, name, expected, findings: isSame ? known.findings : null };
}

/** Policies of other engines are asked about the request, where there is one, and not about the object in it. */
function isAboutRequest({ rules }: PolicySet, { request }: PolicyInput): boolean {
  return request !== null && rules.some(({ imported }) => imported !== null);
}

/** Only a batch in which every rule answered teaches anything. */
function remember(open: readonly Asked[], fresh: Evaluated, memo: Memo): void {
  const expected = open.reduce((sum, one) => sum + one.expected.length, 0);
  if (fresh.notEvaluated.length > 0 || fresh.rulesEvaluated !== expected || fresh.rulesExpected !== expected) return;
  const byResource = Map.groupBy(fresh.findings, (finding) =>
    finding.resource === null ? "" : identityKey(finding.resource),
  );
  for (const { name, document, expected: rules } of open) {
    if (name === null || document.resource === null) continue;
    memo.set(name, JSON.stringify({ rules, findings: byResource.get(identityKey(document.resource.id)) ?? [] }));
  }
}

function joined(asked: readonly Asked[], fresh: Evaluated): Evaluated {
  const known = asked.filter((one) => one.findings !== null);
  const counted = known.reduce((sum, one) => sum + one.expected.length, 0);
  const unruled = known.flatMap(({ document, expected }) =>
    document.resource !== null && expected.length === 0 ? [resourceName(document.resource.id)] : [],
  );
  return {
    findings: [...fresh.findings, ...known.flatMap((one) => one.findings ?? [])].sort(compareFindings),
    rulesExpected: fresh.rulesExpected + counted,
    rulesEvaluated: fresh.rulesEvaluated + counted,
    unruled: [...fresh.unruled, ...unruled].sort(),
    notEvaluated: fresh.notEvaluated,
  };
}
