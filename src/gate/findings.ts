/** Gives each finding its place in the source: file, line and column. */
import { decodeUtf8 } from "../lib/bytes.ts";
import type { Finding } from "../policy/finding.ts";
import { locate } from "../render/position.ts";
import { identityKey, type Position, type Resource } from "../render/resource.ts";
import type { RenderedTrees } from "./render.ts";

export async function placeFindings(
  findings: readonly Finding[],
  rendered: RenderedTrees,
): Promise<readonly Finding[]> {
  const resources = new Map(rendered.after.resources.map((resource) => [identityKey(resource.id), resource]));
  const texts = new Map<string, string | null>();
  const placed: Finding[] = [];
  for (const finding of findings) {
    const resource = finding.resource === null ? undefined : resources.get(identityKey(finding.resource));
    placed.push(
      resource === undefined ? finding : { ...finding, position: await place(finding, resource, rendered, texts) },
    );
  }
  return placed;
}

async function place(
  finding: Finding,
  resource: Resource,
  rendered: RenderedTrees,
  texts: Map<string, string | null>,
): Promise<Position> {
  const { file, line, document, at } = resource.origin;
  if (!texts.has(file)) texts.set(file, decodeUtf8((await rendered.source(file)) ?? new Uint8Array()));
  const text = texts.get(file) ?? null;
  if (text === null) return { file, line, column: 1, exact: false };
  return { file, ...locate(text, document, `${at}${finding.at}`) };
}
