/** OPA's data API: the value of a configured entrypoint, by the policies of its target's judge; logged before it is answered. */
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { entrypointValue } from "../policy/entrypoint-value.ts";
import { askOnce } from "../policy/external.ts";
import { writtenUses } from "../policy/external-uses.ts";
import { entryDigests, terms } from "./record.ts";
import type { StandingJudges } from "./standing.ts";
import type { Gate } from "./wiring.ts";

export interface DataQuery {
  /** `shop/deny`. */
  readonly entrypoint: string;
  readonly input: JsonValue;
  /** Who asks, as recorded. */
  readonly by: string;
}

export interface DataAnswer {
  readonly result: JsonValue;
  /** Of the entry. */
  readonly id: string;
}

/** The target that answers it; null for an entrypoint that gate.yaml does not name. */
export function entrypointTarget({ configuration }: Gate, entrypoint: string): string | null {
  const { entrypoints = {} } = configuration.gate.data ?? {};
  return Object.hasOwn(entrypoints, entrypoint) ? (entrypoints[entrypoint] ?? null) : null;
}

/** @throws SluiceError `route-unknown`, and what entrypointValue() and reading the judge throw */
export async function answerData(gate: Gate, standing: StandingJudges, query: DataQuery): Promise<DataAnswer> {
  const { entrypoint, input, by } = query;
  const target = entrypointTarget(gate, entrypoint);
  if (target === null) throw new SluiceError("route-unknown", "gate.yaml names no such entrypoint.");
  const at = gate.services.clock();
  const { commit, read } = await standing.of(target);
  const { judge, sources } = await read();
  const asked = askOnce(gate.services.external, target);
  const external = await asked.data(writtenUses(sources));
  const result = await entrypointValue(standing.compiler, sources, entrypoint, input, at, external);
  const { id } = await gate.log.append({
    kind: "decision",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { judge: commit },
    digests: entryDigests(judge.digests),
    // What was asked and answered may hold anything, so only its digests are kept.
    disclosed: {
      query: { entrypoint, by, input: sha256Hex(canonicalJson(input)), result: sha256Hex(canonicalJson(result)) },
      ...(external.size === 0 ? {} : { external: asked.records() as unknown as JsonValue }),
    },
    terms: [...terms("subject", ["data"]), ...terms("person", [by])],
  });
  return { result, id };
}
