/** Gives each finding its place in the source, and masks what may be secret before anything is logged or shown. */
import { decodeUtf8 } from "../lib/bytes.ts";
import { type Locator, openLocator } from "../lib/yaml-position.ts";
import type { Finding } from "../policy/finding.ts";
import { identityKey, type Position, type Resource } from "../render/resource.ts";
import type { RenderedTrees } from "./render.ts";

export async function placeFindings(
  findings: readonly Finding[],
  rendered: RenderedTrees,
): Promise<readonly Finding[]> {
  const resources = new Map(rendered.after.resources.map((resource) => [identityKey(resource.id), resource]));
  const locators = new Map<string, Locator | null>();
  const placed: Finding[] = [];
  for (const finding of findings) {
    const resource = finding.resource === null ? undefined : resources.get(identityKey(finding.resource));
    const position = resource === undefined ? null : await place(finding, resource, rendered, locators);
    const fix = finding.fix === null ? null : rendered.mask(finding.fix);
    placed.push({ ...finding, message: rendered.mask(finding.message), fix, position });
  }
  return placed;
}

async function place(
  finding: Finding,
  resource: Resource,
  rendered: RenderedTrees,
  locators: Map<string, Locator | null>,
): Promise<Position> {
  const { file, line, document, at } = resource.origin;
  if (!locators.has(file)) {
    const text = decodeUtf8((await rendered.source(file)) ?? new Uint8Array());
    locators.set(file, text === null || text === "" ? null : openLocator(text));
  }
  const locator = locators.get(file) ?? null;
  return locator === null
    ? { file, line, column: 1, exact: false }
    : { file, ...locator(document, `${at}${finding.at}`) };
}
