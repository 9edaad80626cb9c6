/** A gate's object store that lacks something of a release, after a restore without its folder for example, is filled again. */
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import type { ObjectStore } from "./object-store.ts";
import { releaseFolder } from "./publish.ts";
import type { Channel, Release } from "./release.ts";

/**
 * What is missing is taken from a channel that still has the release. Others can write to a channel, so it is believed only
 * where the bytes have the SHA-256 that the log's own record of the release names; then they are kept again.
 */
export function refilled(objects: ObjectStore, channels: readonly Channel[], release: Release): ObjectStore {
  const inChannels = async (sha256: string): Promise<Uint8Array | null> => {
    const { sequence } = release;
    for (const { file } of release.objects.filter((one) => one.sha256 === sha256)) {
      for (const channel of channels) {
        const bytes = await channel.read(`${releaseFolder(sequence)}/objects/${file}`);
        if (bytes !== null && sha256Hex(bytes) === sha256) return bytes;
      }
    }
    return null;
  };
  return {
    put: (bytes) => objects.put(bytes),
    get: async (sha256) => {
      try {
        return await objects.get(sha256);
      } catch (thrown) {
        if (!(thrown instanceof SluiceError) || thrown.code !== "object-lost") throw thrown;
        const bytes = await inChannels(sha256);
        if (bytes === null) throw thrown;
        await objects.put(bytes);
        return bytes;
      }
    },
  };
}
