#!/usr/bin/env node
// Plain old JavaScript on purpose: every Node can read this file, so an old one is turned away with a sentence
// instead of a syntax error. Everything else is in dist/.
"use strict";
var major = Number(process.versions.node.split(".")[0]);
if (!(major >= 24)) {
  process.stderr.write(
    "sluice needs Node 24 or newer, this is Node " +
      process.versions.node +
      "; run `npm ci` with install scripts on, or install Node 24.\n",
  );
  process.exitCode = 2;
} else {
  require("../dist/cli/start.js");
}
