/** Random bytes for salts and ids, fetched for some forty entries at once: each fetch has a price of its own. */
const NOISE_BYTES = 4096;

/** As `random`; each byte once. */
export function thrifty(random: (bytes: number) => Uint8Array): (bytes: number) => Uint8Array {
  let noise = new Uint8Array(0);
  return (bytes) => {
    if (noise.byteLength < bytes) noise = new Uint8Array(random(Math.max(bytes, NOISE_BYTES)));
    const drawn = noise.subarray(0, bytes);
    noise = noise.subarray(bytes);
    return drawn;
  };
}
