/** What is handed to the service over HTTP and waits for no poll: an approval, a report, a rollback, a question to the policies. */
import { answerData, entrypointTarget } from "../gate/data.ts";
import { readGivenApproval, takeApproval } from "../gate/given-approvals.ts";
import { rollbackReport } from "../gate/json/landed.ts";
import { takeReport } from "../gate/reports.ts";
import { rollBack } from "../gate/rollback.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Service } from "./service.ts";
import type { ServiceView } from "./view.ts";

type HandingIn = Pick<ServiceView, "approvalTarget" | "approve" | "report" | "rollback" | "data">;

export function handingIn(service: Service): HandingIn {
  const { gate, judging } = service;
  return {
    approvalTarget: async (envelope) => readGivenApproval(envelope).statement.target,
    async approve(bytes) {
      const { index, envelope } = await takeApproval(gate, bytes);
      service.reconsider([envelope.statement.target]);
      const { target, approver, tree, head } = envelope.statement;
      return { index, target, approver, tree, head };
    },
    async report(target, note) {
      return { index: await takeReport(gate, target, note) };
    },
    async rollback(wish) {
      await gate.repositories.refresh(gate.target(wish.target).repository); // what waits on the branch now is left behind
      const landed = await judging.act(wish.target, async (watch) => {
        const done = await rollBack(gate, wish);
        watch.onLanded?.(done);
        return done;
      });
      return rollbackReport(wish.target, landed);
    },
    data: async ({ targets, ...query }) => {
      const target = entrypointTarget(gate, query.entrypoint);
      if (targets !== null && target !== null && !targets.includes(target)) {
        throw new SluiceError("not-permitted", `This access is for ${targets.join(", ")} only.`);
      }
      return answerData(gate, service.standing, query);
    },
  };
}
