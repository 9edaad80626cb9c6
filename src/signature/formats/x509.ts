/** S/MIME and gitsign signatures are recognised, so that they are refused by name and not taken for something else. */
import { type Format, refusal } from "../format.ts";

export const X509: Format = {
  name: "x509",
  begin: "-----BEGIN SIGNED MESSAGE-----",
  end: "-----END SIGNED MESSAGE-----",
  open: () => ({
    match: () => refusal("not-supported", "X.509 signatures (S/MIME, gitsign) are not supported yet."),
  }),
};
