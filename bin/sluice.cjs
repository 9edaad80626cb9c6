#!/usr/bin/env node
// The command, from any folder and behind any link. Plain old JavaScript, see node-guard.cjs; all else is in dist/.
"use strict";
var fs = require("fs");
var path = require("path");

var START = path.join(__dirname, "..", "dist", "cli", "start.js");

if (require("./node-guard.cjs")()) {
  if (fs.existsSync(START)) {
    require(START);
  } else {
    process.stderr.write("sluice is not built yet: run `npm run build` in " + path.join(__dirname, "..") + ".\n");
    process.exitCode = 2;
  }
}
