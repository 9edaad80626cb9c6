/** `sluice serve`: the service. Looks, judges, logs and releases until a signal ends it. */
import { readGateYaml } from "../config/gate-yaml.ts";
import type { Means } from "../gate/judge-wiring.ts";
import { openDoor } from "../server/door.ts";
import { openJournal } from "../server/journal.ts";
import { Service } from "../server/service.ts";
import type { Command, Invocation } from "./command.ts";
import { CONFIG_OPTION, gateConfiguration, means } from "./opening.ts";
import { listenForStop } from "./signals.ts";

export const serve: Command = {
  name: "serve",
  summary: "run the gate as a service",
  usage: ["serve --config gate.yaml"],
  options: { config: CONFIG_OPTION },
  positionals: [0, 0],
  exitCodes: [[0, "stopped by SIGTERM or SIGINT; what had begun is finished"]],
  example: "sluice serve --config gate.yaml\njudges and releases what lands in the repositories of gate.yaml",
  run,
};

/** SIGHUP reads gate.yaml again. After the first SIGTERM or SIGINT the next one ends the process as it would any other. */
async function run(invocation: Invocation): Promise<number> {
  const signals = listenToSignals();
  try {
    const configuration = await gateConfiguration(invocation);
    const journal = openJournal(invocation.output.remark, invocation.clock);
    journal.say("info", "starting", { pid: process.pid });
    const started = performance.now();
    const onWitnessFailure: Means["onWitnessFailure"] = ({ name, code }) =>
      journal.say("warn", "no cosignature", { witness: name, code });
    const given = { ...means(invocation), onWitnessFailure };
    const service = await Service.start(configuration, { means: given, journal });
    try {
      const door = await openDoor(service, given, journal);
      const targets = Object.keys(configuration.gate.targets).length;
      const { url, admissionUrl } = door;
      const asked = admissionUrl === null ? {} : { admission: admissionUrl };
      journal.say("info", "ready", { url, ...asked, targets, ms: Math.round(performance.now() - started) });
      service.watch();
      signals.onReload(() => void service.reload(() => readGateYaml(configuration.file), door.reload));
      journal.say("info", "stopping", { signal: await signals.stopped });
      await door.close();
    } finally {
      await service.stop();
    }
    journal.say("info", "stopped");
    return 0;
  } finally {
    signals.forget();
  }
}

function listenToSignals() {
  const { stopped, forget } = listenForStop();
  let reload = (): void => undefined;
  const hup = (): void => reload();
  process.on("SIGHUP", hup);
  return {
    stopped,
    onReload: (handler: () => void): void => {
      reload = handler;
    },
    forget: (): void => {
      forget();
      process.off("SIGHUP", hup);
    },
  };
}
