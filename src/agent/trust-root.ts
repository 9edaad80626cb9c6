/** What an agent trusts, all of it from agent.yaml: no default keys, none from the channel. */
import type { AgentYaml } from "../config/agent-yaml.ts";
import { type CosignatureVerifier, cosignatureVerifier } from "../log/cosignature.ts";
import { type NoteVerifier, noteVerifier } from "../log/note.ts";

export interface TrustRoot {
  readonly target: string;
  readonly origin: string;
  readonly logKeys: readonly NoteVerifier[];
  readonly releaseKeys: readonly NoteVerifier[];
  /** 0 where agent.yaml names none. */
  readonly minimumSequence: number;
  readonly witnesses: { readonly keys: readonly CosignatureVerifier[]; readonly quorum: number };
}

/** @throws SluiceError `note-key-invalid` */
export function trustRootOf(agent: AgentYaml): TrustRoot {
  return {
    target: agent.target,
    origin: agent.log.origin,
    logKeys: agent.log.keys.map(noteVerifier),
    releaseKeys: agent.releaseKeys.map(noteVerifier),
    minimumSequence: agent.minimumSequence ?? 0,
    witnesses: { keys: agent.witnesses.keys.map(cosignatureVerifier), quorum: agent.witnesses.quorum },
  };
}
