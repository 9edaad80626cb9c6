/** The signature formats, told apart by the first line of the armour as git does (gpg-interface.c). */
import type { Format } from "./format.ts";
import { OPENPGP } from "./formats/openpgp.ts";
import { SSH } from "./formats/ssh.ts";
import { X509 } from "./formats/x509.ts";

export const FORMATS: readonly Format[] = [OPENPGP, SSH, X509];
