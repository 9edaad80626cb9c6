import { benchWorld, objectFile, PLAIN } from "./bench/world.ts";
import { writeFileSync } from "node:fs";
const scope: any = { after() {} };
const world: any = await benchWorld(scope);
world.repo.git(["checkout", "--quiet", "-b", "many", "origin/main"]);
for (let at = 0; at < 50; at++) world.repo.commit({ files: objectFile(at, 4), author: "ada <ada@example.com>", signWith: world.key("ada") });
const r = await world.sluice(["check", "--base", "origin/main", "--head", "many", "--format", "json"], { env: PLAIN });
console.log(r.code, JSON.stringify(r.report.timings), world.path("."), Object.keys(world));
