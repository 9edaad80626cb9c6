#!/usr/bin/env node
// The command, from any folder and behind any link. Plain old JavaScript, see node-guard.cjs; all else is in dist/.
"use strict";
var fs = require("fs");
var path = require("path");

var DIST = path.join(__dirname, "..", "dist");
var START = path.join(DIST, "cli", "start.js");

// What V8 compiled for a command is kept beside the code itself, for whoever may write there: trusted as the code is, and
// never in a cache of the user, which a build machine may have got from somebody else. Apart for each command, because
// Node keeps what the first process compiled.
function keepCompiled(command) {
  if (JSON.parse(fs.readFileSync(path.join(DIST, "commands.json"), "utf8")).indexOf(command) >= 0) {
    require("module").enableCompileCache(path.join(DIST, "compiled", command));
  }
}

if (require("./node-guard.cjs")()) {
  if (fs.existsSync(START)) {
    keepCompiled(process.argv[2]);
    require(START);
  } else {
    process.stderr.write("sluice is not built yet: run `npm run build` in " + path.join(__dirname, "..") + ".\n");
    process.exitCode = 2;
  }
}
