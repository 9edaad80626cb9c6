/** One turn of the agent as a process: head, release and proof verified; 200 objects written, or nothing to do. */
import type { World } from "../test/support/world.ts";
import { type BenchOptions, type Measurement, measurementOf, type Row, timed } from "./measure.ts";
import { benchWorld, beyond, nodeStart, OBJECTS, objectFile, PLAIN } from "./world.ts";

const IDLE_TURNS = 10;
const APPLYING_TURNS = 3;

export async function benchAgent({ quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  progress(`agent: a release of ${OBJECTS} objects`);
  const world = await benchWorld(scope);
  world.push({ files: objectFile(0, 5), by: "ada" });
  const released = await world.release();
  if (released.code !== 0) throw new Error(`release exits ${released.code}: ${released.stderr}${released.stdout}`);
  progress("agent: apply");
  const copies = Array.from({ length: quick ? 1 : APPLYING_TURNS }, () => world.copy(scope));
  const applying = await turns(copies);
  progress("agent: nothing to do");
  const idle = await timed(quick ? 2 : IDLE_TURNS, 1, () => turn(copies[0] as World));
  const start = await nodeStart();
  return [
    {
      area: "agent",
      what: `one turn, ${OBJECTS} objects applied`,
      measured: applying,
      beside: [beyond(start, applying)],
    },
    { area: "agent", what: "one turn, nothing to do", measured: idle, beside: [beyond(start, idle)] },
  ];
}

/** One turn in each. */
async function turns(worlds: readonly World[]): Promise<Measurement> {
  const latencies: number[] = [];
  const start = performance.now();
  for (const world of worlds) {
    const before = performance.now();
    await turn(world);
    latencies.push(performance.now() - before);
    const written = world.files("www").length;
    if (written < OBJECTS) throw new Error(`the agent wrote ${written} files`);
  }
  return measurementOf(latencies, performance.now() - start);
}

async function turn(world: World): Promise<void> {
  const { code, stderr, stdout } = await world.sluice(["agent", "--once", "--config", "../agent.yaml"], { env: PLAIN });
  if (code !== 0) throw new Error(`the agent exits ${code}: ${stderr}${stdout}`);
}
