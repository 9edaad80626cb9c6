/** Counts what a simulation finds. It holds the first thousand decisions that would change, and of the others only numbers. */
import type { Simulated } from "../gate/simulate.ts";
import { EXIT } from "./failure.ts";
import type { SimulatedLine, SimulationReport } from "./reports/schemas/simulate.ts";
import { simulatedLine } from "./reports/simulate-line.ts";

const MAXIMUM_HELD = 1000;

type Sum = Omit<SimulationReport, "apiVersion" | "kind" | "authority" | "policies" | "target" | "since" | "until">;

interface Tally {
  add(one: Simulated): void;
  sum(): Sum;
}

export function openTally(): Tally {
  const counts = { decisions: 0, same: 0, changed: 0, notReplayed: 0 };
  const verdicts = new Map<string, Sum["verdicts"][number]>();
  const rules = new Map<string, Sum["rules"][number]>();
  const unreplayed = new Map<string, Sum["unreplayed"][number]>();
  const held: SimulatedLine[] = [];

  function addRules({ appears, disappears }: Simulated): void {
    for (const rule of new Set([...appears, ...disappears].map((finding) => finding.rule))) {
      const known = rules.get(rule) ?? { rule, appears: 0, disappears: 0, decisions: 0 };
      known.appears += appears.filter((finding) => finding.rule === rule).length;
      known.disappears += disappears.filter((finding) => finding.rule === rule).length;
      known.decisions += 1;
      rules.set(rule, known);
    }
  }

  function addVerdict({ was, wouldBe }: Simulated): void {
    if (was === null || wouldBe === null || was === wouldBe) return;
    const name = `${was} ${wouldBe}`;
    const known = verdicts.get(name) ?? { was, wouldBe, count: 0 };
    verdicts.set(name, { ...known, count: known.count + 1 });
  }

  return {
    add(one) {
      counts.decisions += 1;
      counts[one.outcome === "not-replayed" ? "notReplayed" : one.outcome] += 1;
      addRules(one);
      addVerdict(one);
      if (one.why !== null) {
        const known = unreplayed.get(one.why.code) ?? { ...one.why, count: 0 };
        unreplayed.set(one.why.code, { ...known, count: known.count + 1 });
      }
      if (one.outcome !== "same" && held.length < MAXIMUM_HELD) held.push(simulatedLine(one));
    },
    sum: () => ({
      exitCode: counts.changed > 0 ? EXIT.denied : counts.notReplayed > 0 ? EXIT.error : EXIT.fine,
      counts,
      verdicts: sorted(verdicts),
      rules: sorted(rules),
      unreplayed: sorted(unreplayed),
      decisions: held,
      decisionsOmitted: counts.changed + counts.notReplayed - held.length,
    }),
  };
}

function sorted<T>(counted: ReadonlyMap<string, T>): T[] {
  return [...counted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
