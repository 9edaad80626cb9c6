/** docs/reference/attacks.md: the published attacks, and what Sluice and its peers say of each. */
import { type AttackRow, RAN, ROWS } from "../test/signature/attacks/rows.ts";

export function attackPage(generated: string): string {
  const tools = Object.entries(RAN).map(([tool, version]) => `${tool} ${version}`);
  const lead = [
    "Every published attack on signed commits and tags that we know of. Each form is made by a test, by real tools or byte",
    "by byte (`test/signature/attacks/`), and held to the code that stands here (`sluice explain CODE` says more).",
    `**ran**: the test asks that tool too (${tools.join(", ")}); **reading**: what its sources or documentation say.`,
  ].join("\n");
  const head = "| | attack | Sluice | peers |\n| --- | --- | --- | --- |";
  return `# Attacks\n\n${generated}\n\n${lead}\n\n${head}\n${ROWS.map(rowText).join("\n")}\n`;
}

function rowText({ number, title, origin, cases, elsewhere = [], byReading = [], limit }: AttackRow): string {
  const ours = [...cases, ...elsewhere].map(({ name, verdict }) => `${name}: ${shown(verdict)}`);
  const ran = cases.flatMap(({ name, ran = {} }) =>
    Object.entries(ran).map(([tool, opinion]) => ({ text: `${tool} ${opinion}`, name })),
  );
  const grouped = Map.groupBy(ran, (one) => one.text);
  const peers = [
    ...[...grouped].map(
      ([text, of]) => `${text}${of.length === cases.length ? "" : ` (${of.map((one) => one.name).join("; ")})`}, ran`,
    ),
    ...byReading.map(({ tool, verdict }) => `${tool}: ${verdict}, reading`),
  ];
  const attack = `${title}<br>${origin}${limit === undefined ? "" : `<br>*${limit}*`}`;
  return `| ${[`${number}`, attack, ours.join("<br>"), peers.join("<br>")].map(cell).join(" | ")} |`;
}

/** Codes stand as code, words as words. */
function shown(verdict: string): string {
  return verdict
    .split(", ")
    .map((one) => (one.includes("-") ? `\`${one}\`` : one))
    .join(", ");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
