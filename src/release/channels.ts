/** The list of channels; a test compares it with the folder beside it. */
import { SluiceError } from "../lib/errors.ts";
import { openDirectoryChannel } from "./channels/directory.ts";
import type { Channel } from "./release.ts";

interface ChannelKind {
  /** Its key in gate.yaml and agent.yaml, and its file name. */
  readonly name: string;
  open(setting: string): Promise<Channel>;
}

export const CHANNELS: readonly ChannelKind[] = [{ name: "directory", open: openDirectoryChannel }];

/** Opens `{directory: PATH}`; paths are absolute by now. @throws SluiceError `not-supported` for every other kind */
export async function openChannel(configured: Readonly<Record<string, unknown>>): Promise<Channel> {
  const [key, ...more] = Object.keys(configured);
  const kind = CHANNELS.find((known) => known.name === key);
  const setting = kind === undefined ? undefined : configured[kind.name];
  if (kind !== undefined && more.length === 0 && typeof setting === "string") return kind.open(setting);
  throw new SluiceError("not-supported", `A channel of kind ${JSON.stringify(key ?? "")} is not there yet.`, {
    fix: "use channel: {directory: PATH}",
  });
}
