// Plain old JavaScript on purpose: every Node can read this file, so an old one is turned away with a sentence instead
// of a syntax error. It stands before everything that a newcomer starts.
"use strict";

var OLDEST_MAJOR = 24;

/** True on a Node that can run Sluice; else writes one sentence, sets exit code 2 and answers false. */
module.exports = function isNodeNewEnough() {
  var version = process.versions.node;
  if (Number(version.split(".")[0]) >= OLDEST_MAJOR) return true;
  process.stderr.write(
    "sluice needs Node " +
      OLDEST_MAJOR +
      " or newer, this is Node " +
      version +
      "; run `npm ci` with install scripts on, which brings one along, or install Node " +
      OLDEST_MAJOR +
      ".\n",
  );
  process.exitCode = 2;
  return false;
};
