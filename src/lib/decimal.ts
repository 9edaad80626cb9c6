/** Which decimal texts mean the same number to every reader. */

/** Longer texts cannot come back from a double, whatever they say. */
const MAXIMUM_CHARACTERS = 400;
const PARTS = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?$/;

/**
 * The number that a decimal text (JSON's form, or YAML's with a leading `+` or a bare point) names, or null when a
 * double does not carry it: not finite, an integer beyond 2^53, minus zero, or digits that come back different.
 */
export function exactNumber(text: string): number | null {
  if (text.length > MAXIMUM_CHARACTERS) return null;
  const value = Number(text);
  if (!Number.isFinite(value) || Object.is(value, -0)) return null;
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return null;
  const written = normalForm(text);
  return written !== null && written === normalForm(String(value)) ? value : null;
}

/** Sign, digits without outer zeros, power of ten: equal for two texts exactly when they name one decimal number. */
function normalForm(text: string): string | null {
  const parts = PARTS.exec(text);
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = "", power = "0"] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const kept = withoutTrailingZeros(digits);
  if (kept === "") return "0";
  const exponent = Number(power) - fraction.length + (digits.length - kept.length);
  return `${sign === "-" ? "-" : ""}${kept}e${exponent}`;
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
