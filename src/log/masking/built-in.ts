/** The masks that every log has unless gate.yaml leaves one out: data of Secrets, tokens, kubeconfigs. */
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import type { EntryDraft } from "../entry.ts";
import type { Mask, Place } from "./mask.ts";

/**
 * Forms that say by themselves that they are credentials: JSON Web Tokens, tokens of GitHub, GitLab, AWS, Slack, npm,
 * Google and Stripe, private keys in PEM, and what follows `Bearer`. Each repetition is bounded, so that a hostile text costs no
 * more than a long one.
 */
const TOKENS = [
  "eyJ[\\w-]{8,2000}\\.[\\w-]{8,4000}\\.[\\w-]{8,2000}",
  "gh[pousr]_[A-Za-z0-9]{30,255}",
  "github_pat_\\w{22,255}",
  "glpat-[\\w-]{20,255}",
  "(?:AKIA|ASIA)[0-9A-Z]{16}",
  "xox[abeoprs]-[\\w-]{10,255}",
  "npm_[A-Za-z0-9]{36}",
  "AIza[\\w-]{35}",
  "[rs]k_live_[A-Za-z0-9]{16,255}",
  "-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----",
  "[Bb]earer [\\w.~+/-]{16,4000}",
].join("|");
const TOKEN = new RegExp(`(?<![\\w-])(?:${TOKENS})`);
/** In the JSON text of all values, where a line end before a token ends in a letter. */
const MAY_BE_TOKEN = new RegExp(`(?:(?<![\\w-])|\\\\(?:[bfnrt]|u[0-9a-f]{4}))(?:${TOKENS})`);
/** An object of the kind in a text, as YAML or JSON, or in the JSON of all values, where such a text has its quotes escaped. */
const SECRET = /kind\\?"?: {0,9}\\?"?Secret\b/;
const SECRET_KEYS = /\b(?:data|stringData)"?:/;
const KUBECONFIG = /kind\\?"?: {0,9}\\?"?Config\b|client-key-data/;
const KUBECONFIG_KEYS = /\busers"?:|client-key-data/;

export const BUILT_IN_MASKS: readonly Mask[] = [
  {
    name: "secret-data",
    mayConcern: (_, text) => SECRET.test(text),
    places: (draft) => found(draft, dataOfSecret, (text) => SECRET.test(text) && SECRET_KEYS.test(text)),
  },
  {
    name: "kubeconfigs",
    mayConcern: (_, text) => KUBECONFIG.test(text),
    places: (draft) => found(draft, usersOfKubeconfig, (text) => KUBECONFIG.test(text) && KUBECONFIG_KEYS.test(text)),
  },
  {
    name: "tokens",
    mayConcern: (_, text) => MAY_BE_TOKEN.test(text),
    places: (draft) => found(draft, nothing, (text) => TOKEN.test(text)),
  },
];

/** Keys of an object whose texts are meant. */
type Keys = (object: JsonObject) => readonly string[];

const nothing: Keys = () => [];
const dataOfSecret: Keys = ({ kind }) => (kind === "Secret" ? ["data", "stringData"] : []);
const usersOfKubeconfig: Keys = ({ kind }) => (kind === "Config" ? ["users", "clusters"] : []);

/** Every place whose text is meant by what it says, or by the object that it stands in. */
export function found({ disclosed }: EntryDraft, keys: Keys, isMeant: (text: string) => boolean): readonly Place[] {
  const places: Place[] = [];
  const look = (value: JsonValue, at: Place): void => {
    if (typeof value === "string") {
      if (isMeant(value)) places.push(at);
    } else if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) look(one, [...at, String(index)]);
    } else if (value !== null && typeof value === "object") {
      const meant = keys(value as JsonObject);
      for (const [key, one] of Object.entries(value as JsonObject))
        meant.includes(key) ? places.push([...at, key]) : look(one, [...at, key]);
    }
  };
  for (const [name, value] of Object.entries(disclosed)) look(value, [name]);
  return places;
}
