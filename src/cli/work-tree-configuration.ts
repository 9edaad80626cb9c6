/** sluice.yaml as it lies in a work tree: for looking at what is there, never for judging. */
import { join } from "node:path";
import { readSluiceYaml, SLUICE_YAML, type SluiceYaml } from "../config/sluice-yaml.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { readRegularFile } from "./folder-files.ts";

/** null where there is none. @throws SluiceError `configuration-invalid` */
export function workTreeConfiguration(folder: string): SluiceYaml | null {
  const bytes = readRegularFile(join(folder, SLUICE_YAML));
  return bytes === null ? null : readSluiceYaml(decodeUtf8(bytes) ?? "");
}
