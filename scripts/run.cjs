// node scripts/run.cjs FILE [arguments]: runs a TypeScript file of this repository, on a Node that can. Every npm script
// starts here: with install scripts off, npm falls back to the system's Node, which may be too old.
"use strict";
var path = require("path");

if (require("../bin/node-guard.cjs")()) {
  process.argv.splice(1, 1);
  process.argv[1] = path.join(__dirname, "..", process.argv[1]);
  require("module").runMain();
}
