/** Colours, on a terminal only: they repeat what the words already say. */
import type { Verdict } from "../../decision/decision.ts";

export type Paint = (verdict: Verdict, text: string) => string;

const COLOURS: Record<Verdict, number> = { allow: 32, deny: 31, error: 35, wait: 33 };

export function paint(colours: boolean): Paint {
  return (verdict, text) => (colours ? `\u001b[1;${COLOURS[verdict]}m${text}\u001b[0m` : text);
}
