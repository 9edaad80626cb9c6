/** `trust list`: who is listed, with which keys, and whether they count. */
import { resolve } from "node:path";
import { printable } from "../lib/printable.ts";
import { formatTime } from "../lib/time.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, type OptionText, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { givenTime } from "./given-time.ts";
import type { AuthorityReport, KeyReport, OwnerReport, TrustListReport } from "./reports/schemas/trust-list.ts";
import { listAuthorities } from "./trust-authorities.ts";
import { givenTrust } from "./trust-path.ts";
import { listOwners } from "./trust-view.ts";

export const TRUST_OPTIONS: Readonly<Record<string, OptionText>> = {
  trust: {
    type: "string",
    value: "PATH",
    description: "a trust folder, an allowed_signers file or an armoured keyring; what sluice.yaml names when absent",
  },
  repo: { type: "string", value: "DIR", description: "folder of sluice.yaml; the current folder when absent" },
  at: { type: "string", value: "TIME", description: "as of then, for information only" },
  ...ANSWER_OPTIONS,
};

export const trustList: Command = {
  name: "trust list",
  summary: "show people, robots, forges, keys and authorities",
  usage: ["trust list [--trust PATH] [--at TIME]"],
  options: TRUST_OPTIONS,
  positionals: [0, 0],
  exitCodes: [[0, "the trust could be read"]],
  example: "sluice trust list --trust trust/\nlists everybody in trust/people.yaml with roles and keys",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const time = givenTime(invocation);
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const { path, trust } = await givenTrust(invocation, folder);
  const report: TrustListReport = {
    apiVersion: "sluice/v1",
    kind: "TrustList",
    exitCode: EXIT.fine,
    path,
    digest: trust.digest,
    at: formatTime(time.instant),
    owners: [...listOwners(trust, time.instant)],
    authorities: [...listAuthorities(trust, time.instant)],
    change: trust.change === null ? null : { count: trust.change.count, roles: [...trust.change.roles].sort() },
  };
  answer(invocation, report, () => trustListText(report, time.isGiven));
  return EXIT.fine;
}

function trustListText(report: TrustListReport, isGiven: boolean): string {
  const { path, at, owners } = report;
  const then = isGiven ? `, as of ${at} (information only)` : "";
  const keys = owners.reduce((sum, owner) => sum + owner.keys.length, 0);
  return `${printable(path)}: ${owners.length} listed, ${keys} keys${then}\n${ownersText(report)}`;
}

/** Everybody with keys, the authorities, and who may change the files that judge. */
export function ownersText({
  owners,
  authorities,
  change,
}: Pick<TrustListReport, "owners" | "authorities" | "change">): string {
  const groups = [...Map.groupBy(owners, (owner) => PLURAL[owner.class])].map(
    ([title, group]) => `${title}\n${group.map(ownerText).join("")}`,
  );
  if (authorities.length > 0) groups.push(`authorities\n${authorities.map(authorityText).join("")}`);
  const rule = change === null ? "one other person" : changeText(change);
  return `${groups.join("")}governance files are changed with ${rule}\n`;
}

const PLURAL = { person: "people", robot: "robots", forge: "forges" } as const;

function changeText({ count, roles }: { count: number; roles: readonly string[] }): string {
  const people = count === 1 ? "1 approval" : `${count} approvals`;
  return roles.length === 0 ? people : `${people}, ${roles.map((role) => `one of ${role}`).join(", ")}`;
}

function ownerText(owner: OwnerReport): string {
  const facts = [
    owner.roles.length === 0 ? "" : owner.roles.join(", "),
    owner.may.length === 0 ? "" : `may ${owner.may.join(", ")}`,
    owner.emails.join(" "),
    owner.left === null ? "" : `left ${owner.left.slice(0, 10)}`,
  ].filter((fact) => fact !== "");
  return `  ${[owner.id, ...facts].map(printable).join("  ")}\n${owner.keys.map(keyText).join("")}`;
}

function authorityText({ id, kind, fingerprints, speaksFor, hasRevocations, reason, until }: AuthorityReport): string {
  const end = until === null ? [] : [`until ${until.slice(0, 10)}`];
  const state = reason === null ? [...end, ...(hasRevocations ? ["with revocation lists"] : [])] : [reason];
  const named = speaksFor.map(({ name, issuer, owner }) => {
    const of = issuer === null ? "" : ` of ${issuer}`;
    return `    speaks for ${printable(`${name}${of}${owner === null ? "" : `, who is ${owner}`}`)}\n`;
  });
  const keys = fingerprints.map((fingerprint) => `    ${kind.padEnd(8)} ${fingerprint}\n`);
  return `  ${[printable(id ?? "(no name)"), ...state].join("  ")}\n${keys.join("")}${named.join("")}`;
}

function keyText({ fingerprint, format, reason, expiresOn }: KeyReport): string {
  const state = reason ?? (expiresOn === null ? "" : `expires on ${expiresOn}`);
  return `    ${`${format.padEnd(8)} ${fingerprint}  ${state}`.trimEnd()}\n`;
}
