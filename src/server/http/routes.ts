/** Every route that there is, in the order of the reference. */
import type { Route } from "./route.ts";
import { postCheck, postHold, postRelease, postResume, postReview } from "./routes/acts.ts";
import { listDecisions, proveDecision, showDecision } from "./routes/decisions.ts";
import { changesTable, evidenceView, rulesView } from "./routes/evidence.ts";
import { logCheckpoint, logTile, releaseFile } from "./routes/files.ts";
import { postApproval, postData, postReport, postRollback } from "./routes/handing-in.ts";
import { alertmanagerHook, genericHook, giteaHook, githubHook, gitlabHook } from "./routes/hooks.ts";
import { postAdoption, postRedaction } from "./routes/operator-acts.ts";
import { changesView, changeView, styleSheet, targetsView } from "./routes/pages.ts";
import { healthz, metrics, openApi, readyz } from "./routes/probes.ts";
import { listHolds, listReleases, listTargets, listWaivers } from "./routes/states.ts";

export const ROUTES: readonly Route[] = [
  listDecisions,
  showDecision,
  proveDecision,
  listReleases,
  listTargets,
  listHolds,
  listWaivers,
  postCheck,
  postHold,
  postResume,
  postRelease,
  postReview,
  postRollback,
  postApproval,
  postReport,
  postData,
  postAdoption,
  postRedaction,
  alertmanagerHook,
  genericHook,
  githubHook,
  gitlabHook,
  giteaHook,
  logCheckpoint,
  logTile,
  releaseFile,
  metrics,
  healthz,
  readyz,
  openApi,
  targetsView,
  changesView,
  changeView,
  rulesView,
  evidenceView,
  changesTable,
  styleSheet,
];
