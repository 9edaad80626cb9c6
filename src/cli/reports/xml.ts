/** Strangers' text in XML 1.0. */
import { printable } from "../../lib/printable.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Only characters that XML 1.0 has (section 2.2): the two that it lacks beside controls are the end of a plane. */
export function xmlText(text: string): string {
  const plain = printable(text).replace(/[\ufffe\uffff]/g, "\ufffd");
  return plain.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
