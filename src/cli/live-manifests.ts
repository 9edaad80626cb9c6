/** `--compare-with FOLDER`: manifests of what is live, read like a target's own; what cannot be read is named by file and line. */
import { resolve } from "node:path";
import { isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { Comparison } from "../render/live.ts";
import { isManifest } from "../render/manifest.ts";
import type { RenderFailure, Resource } from "../render/resource.ts";
import { type Invocation, textOption } from "./command.ts";
import { readFolderFiles } from "./folder-files.ts";
import { renderGivenFiles } from "./given-files.ts";

export interface LiveManifests {
  /** As given. */
  readonly folder: string;
  readonly resources: readonly Resource[];
}

const MOST_TOLD = 5;
const MOST_LISTED = 20;

/** Before anything is recorded. null without the option. @throws SluiceError of the first file that cannot be read */
export async function readLive(invocation: Invocation): Promise<LiveManifests | null> {
  const folder = textOption(invocation, "compare-with");
  if (folder === undefined) return null;
  const whole = resolve(invocation.folder, folder);
  const files = [...readFolderFiles(whole, isManifest).keys()];
  const { rendered } = await renderGivenFiles(whole, files);
  if (rendered.failures.length > 0) throw unreadable(folder, rendered.failures);
  if (rendered.resources.length > 0) return { folder, resources: rendered.resources };
  throw new SluiceError("usage", `${folder} holds no manifest, so there is nothing to compare with.`, {
    fix: `kubectl get all,configmaps,ingresses --all-namespaces -o yaml > ${folder.replace(/\/?$/, "/")}live.yaml`,
  });
}

function unreadable(folder: string, failures: readonly RenderFailure[]): SluiceError {
  const [first] = failures;
  const prefix = folder.replace(/\/?$/, "/");
  const told = failures.slice(0, MOST_TOLD).map(({ file, line, column, message }) => {
    return `${prefix}${file}${line === null ? "" : `:${line}:${column ?? 1}`} ${message}`;
  });
  const more = failures.length > MOST_TOLD ? [`${failures.length - MOST_TOLD} more`] : [];
  const code = first !== undefined && isCode(first.code) ? first.code : "usage";
  return new SluiceError(code, [...told, ...more].join("\n"), {
    position: { file: `${prefix}${first?.file ?? ""}`, line: first?.line ?? null, column: first?.column ?? null },
  });
}

/** Twenty of a kind at most; JSON has all. */
export function comparisonLines({
  folder,
  equal,
  different,
  unmanaged,
  missing,
  pins,
}: Comparison & { readonly folder: string }): readonly string[] {
  const counts = `${equal} equal, ${different.length} different, ${unmanaged.length} unmanaged, ${missing.length} missing`;
  return [
    `live        ${printable(folder)}: ${counts}`,
    ...listed(
      "different",
      different.map(
        ({ resource, at }) =>
          `${resource}  ${at.slice(0, 3).join(" ")}${at.length > 3 ? ` and ${at.length - 3} more` : ""}`,
      ),
    ),
    ...listed("unmanaged", unmanaged),
    ...listed("missing", missing),
    ...listed(
      "pin",
      pins.map(({ pinned, resources }) => `${pinned}  in ${resources.join(", ")}`),
    ),
  ];
}

function listed(label: string, lines: readonly string[]): readonly string[] {
  const shown = lines
    .slice(0, MOST_LISTED)
    .map((line, index) => `${(index === 0 ? label : "").padEnd(12)}${printable(line)}`);
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `${" ".repeat(12)}and ${more} more: --format json`] : shown;
}
