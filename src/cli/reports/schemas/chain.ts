/** The schemas of the commands that judge, log, release and apply, by the name of their file in docs/reference/schemas. */
import type * as z from "zod";
import {
  adoptionSchema,
  agentRunSchema,
  approvalSchema,
  headSchema,
  holdingSchema,
  reviewedSchema,
} from "../../../gate/json/schemas/acts.ts";
import { checkSchema, landingsSchema } from "../../../gate/json/schemas/check.ts";
import {
  entriesSchema,
  logBackupSchema,
  logExportSchema,
  logRestoreSchema,
  logRetentionSchema,
  logShowSchema,
  logVerificationSchema,
  proofSchema,
  whySchema,
} from "../../../gate/json/schemas/log.ts";
import { demoSchema } from "./demo.ts";
import { simulationSchema } from "./simulate.ts";

export const CHAIN_SCHEMAS: Readonly<Record<string, { readonly title: string; readonly schema: z.ZodType }>> = {
  adoption: { title: "Output of `sluice adopt --format json`", schema: adoptionSchema },
  "agent-run": { title: "Output of `sluice agent --once --format json`", schema: agentRunSchema },
  approval: { title: "Output of `sluice approve --format json`", schema: approvalSchema },
  check: { title: "Output of `sluice check --format json`", schema: checkSchema },
  demo: { title: "Output of `sluice demo --json`", schema: demoSchema },
  head: { title: "Output of `sluice head --format json`", schema: headSchema },
  hold: { title: "Output of `sluice hold --format json` and `sluice resume --format json`", schema: holdingSchema },
  landings: {
    title: "Output of `sluice release --format json` and `sluice rollback --format json`",
    schema: landingsSchema,
  },
  "log-retain": { title: "Output of `sluice log retain --format json`", schema: logRetentionSchema },
  "log-restore": { title: "Output of `sluice log restore --format json`", schema: logRestoreSchema },
  "log-backup": { title: "Output of `sluice log backup --format json`", schema: logBackupSchema },
  "log-export": { title: "Output of `sluice log export --format json`", schema: logExportSchema },
  "log-list": { title: "Output of `sluice log list --format json`", schema: entriesSchema },
  "log-proof": { title: "Output of `sluice log proof --format json`", schema: proofSchema },
  "log-show": { title: "Output of `sluice log show --format json`", schema: logShowSchema },
  "log-verify": { title: "Output of `sluice log verify --format json`", schema: logVerificationSchema },
  "log-why": { title: "Output of `sluice log why --format json`", schema: whySchema },
  review: { title: "Output of `sluice review --format json`", schema: reviewedSchema },
  simulation: { title: "Output of `sluice simulate --format json`", schema: simulationSchema },
};
