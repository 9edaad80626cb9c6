/** `doctor`: looks at everything that Sluice stands on, one line each, every failure with its command. */
import { resolve } from "node:path";
import { findRepository } from "../git/source.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { examineAgentHere } from "./doctor-agent.ts";
import { examineGateHere } from "./doctor-gate.ts";
import { examineMachine } from "./doctor-machine.ts";
import { examineRepositoryHere } from "./doctor-repository.ts";
import { EXIT } from "./failure.ts";
import { openLockedToolchain } from "./policy-rules.ts";
import { failure, hasFailure, type Remark, remarksText, warning } from "./remark.ts";
import type { DoctorReport } from "./reports/schemas.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "check this machine, repository and gate",
  usage: ["doctor [--repo DIR] [--config gate.yaml] [--agent agent.yaml]"],
  options: {
    repo: {
      type: "string",
      value: "DIR",
      description: "the repository; the one around the current folder when absent",
    },
    config: { type: "string", value: "FILE", description: "look at a gate too, by its gate.yaml" },
    agent: { type: "string", value: "FILE", description: "look at an agent too, by its agent.yaml" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "nothing fails; there may be warnings"],
    [1, "something fails"],
  ],
  example: "sluice doctor\nsays how this machine and this repository stand",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const done = invocation.output.progress("looking");
  const remarks = await examineAll(invocation);
  done();
  const exitCode = hasFailure(remarks) ? EXIT.denied : EXIT.fine;
  const report: DoctorReport = { apiVersion: "sluice/v1", kind: "Doctor", exitCode, remarks: [...remarks] };
  answer(invocation, report, (paint) => remarksText(remarks, paint));
  return exitCode;
}

async function examineAll(invocation: Invocation): Promise<readonly Remark[]> {
  const { surroundings, clock } = invocation;
  const gatePath = textOption(invocation, "config");
  const agentPath = textOption(invocation, "agent");
  const toolchain = openLockedToolchain();
  try {
    const machine = await examineMachine(surroundings, clock, toolchain);
    const gate = gatePath === undefined ? null : await examineGateHere(gatePath, surroundings.environment, clock);
    const top = findRepository(resolve(invocation.folder, textOption(invocation, "repo") ?? "."));
    const { temporaryFolder } = surroundings;
    const revokedKeys = gate?.revokedKeys ?? [];
    const repository =
      top === null
        ? [noRepository(invocation)]
        : await examineRepositoryHere({ top, revokedKeys, temporaryFolder, toolchain, clock });
    const agent = agentPath === undefined ? [] : await examineAgentHere(agentPath, surroundings.environment, clock);
    return [...machine, ...repository, ...(gate?.remarks ?? []), ...agent];
  } finally {
    await toolchain.close();
  }
}

/** The machine of a gate or an agent holds no repository; one that was named must be there. */
function noRepository(invocation: Invocation): Remark {
  const named = textOption(invocation, "repo");
  if (named !== undefined) return failure("repository", named, `${named} is not a git repository.`, "--repo DIR");
  return warning(
    "repository",
    "here",
    "This folder is in no git repository, so none was looked at.",
    "sluice doctor --repo DIR",
  );
}
