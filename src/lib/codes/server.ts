import type { CodeEntry } from "../code-entry.ts";

export const SERVER_CODES = {
  "listen-unsafe": {
    class: "usage",
    means: "The service would be reached from elsewhere without TLS or without knowing who calls.",
    example: "`listen: {address: 0.0.0.0}` in a gate.yaml without `access`.",
    fix: "Set listen.tls and access in gate.yaml, or listen on 127.0.0.1.",
  },
  "access-endless": {
    class: "usage",
    means: "An auditor's access has no end, and an auditor comes for a time.",
    example: "`sluice token new --role auditor --person e.kim` without --until.",
    fix: "Name the first day without it: `sluice token new --role auditor --person NAME --until DATE`.",
  },
  "tokens-invalid": {
    class: "usage",
    means: "The file of tokens cannot be read: it has an unknown key, a wrong type or is not YAML.",
    example: 'tokens.yaml:4:5 unknown key "rôle"; did you mean "role"?',
    fix: "Correct the named line, or make tokens with `sluice token new`.",
  },
  "not-authenticated": {
    class: "refused",
    means: "Nobody known is calling: a token or a client certificate is missing, wrong, or has ended.",
    example: "`curl https://gate.example/v1/targets` without a token.",
    fix: "Send `Authorization: Bearer TOKEN`; an operator makes one with `sluice token new`.",
  },
  "not-permitted": {
    class: "refused",
    means: "The caller is known, and this route or this target is not for its role.",
    example: "A reader's token posts to /v1/holds.",
    fix: "Ask somebody whose role may do it; docs/reference/routes.md says which.",
  },
  "person-needed": {
    class: "refused",
    means: "A hold is set and ended by named persons, and this caller is a machine or has no name.",
    example: "An alert that ends posts to /v1/resumes.",
    fix: "A person with the role operator runs `sluice resume SCOPE --reason TEXT`.",
  },
  "too-many-requests": {
    class: "refused",
    means: "This caller asks more often than it may. Nothing was judged.",
    example: "A loop that posts to /v1/checks without a pause.",
    fix: "Wait as long as Retry-After says, then ask again.",
  },
  "host-unknown": {
    class: "refused",
    means:
      "The service listens for this machine only, and the request names another host: a web page may be behind it.",
    example: "`curl -H 'Host: shop.example' http://127.0.0.1:8443/v1/targets`",
    fix: "Call it as 127.0.0.1 or localhost, or configure listen.tls and access.",
  },
  "route-unknown": {
    class: "usage",
    means: "There is nothing under this path, or nothing that this caller may know of.",
    example: "`GET /v1/decision`",
    fix: "The list of routes is /openapi.json.",
  },
  "method-unknown": {
    class: "usage",
    means: "The path exists, and this method does not exist for it; the header Allow names those that do.",
    example: "`DELETE /v1/decisions`",
    fix: "Use a method that Allow names.",
  },
  "media-type-unknown": {
    class: "usage",
    means: "The body is of a type that the route does not read; it reads JSON in UTF-8 without compression.",
    example: "`curl -d scope=prod https://gate.example/v1/holds`",
    fix: "Send `Content-Type: application/json`.",
  },
  "request-invalid": {
    class: "usage",
    means:
      "The request is not of the form that the route reads: a wrong or unknown key, a repeated key, a wrong value.",
    example: '`POST /v1/holds` with {"scop": "prod"}.',
    fix: "The form of every request is in /openapi.json.",
  },
  "request-too-large": {
    class: "usage",
    means: "The body is larger than the route reads.",
    example: "A megabyte posted to /v1/checks.",
    fix: "Send less; /v1/checks needs a repository, a commit and names of targets only.",
  },
  "hint-unsigned": {
    class: "refused",
    means: "A hint came without its signature, its id or its time, so nobody knows who sent it.",
    example: "`curl -d '{}' https://gate.example/hooks/generic/shop`",
    fix: "Send webhook-id, webhook-timestamp and webhook-signature; docs/service-api.md shows how.",
  },
  "hint-signature": {
    class: "refused",
    means: "A hint is not signed with the secret of the repository that it names, or there is no such repository.",
    example: "A webhook whose secret was changed at the gate and not at the forge.",
    fix: "Put the same secret into gate.yaml's file and into the sender, then send SIGHUP.",
  },
  "hint-expired": {
    class: "refused",
    means: "A hint was signed more than five minutes ago, or in the future.",
    example: "A sender whose clock is ten minutes slow.",
    fix: "Set the clock, and sign each hint when it is sent.",
  },
  "hint-replayed": {
    class: "refused",
    means: "This very hint was taken before: its id is known.",
    example: "Somebody who saw a hint sends it again.",
    fix: "Nothing: the repository was looked at. A new hint has an id of its own.",
  },
  "request-too-slow": {
    class: "refused",
    means: "The request did not arrive whole in the time that it has.",
    example: "A client that sends one byte a minute.",
    fix: "Ask again.",
  },
  "answer-too-slow": {
    class: "error",
    means: "The answer was not there in the time that it has. What was begun goes on, and is logged.",
    example: "`POST /v1/checks` of a change that takes more than ten minutes.",
    fix: "Ask again, or look for the decision: `sluice log list`.",
  },
  "entrypoint-undefined": {
    class: "refused",
    means:
      "A rule that /v1/data was asked for has no value for this input, which is no answer: nothing passes by absence.",
    example: "`POST /v1/data/shop/allow` where the policy has no `default allow := false`.",
    fix: "Give the rule a default, or ask for one that always has a value, such as a set of denials.",
  },
  "listen-failed": {
    class: "error",
    means: "The service cannot listen on its address: another program does, or this machine has no such address.",
    example: "A second `sluice serve` with the same gate.yaml.",
    fix: "Name a free port under `listen` in gate.yaml, or end the other program.",
  },
  "gate-unreachable": {
    class: "error",
    means: "The gate that was named does not answer, or not as a gate does.",
    example: "`sluice check --gate https://gate.example` while the service is down.",
    fix: "Try `curl URL/healthz`; then run the command again.",
  },
  "gate-untrusted": {
    class: "error",
    means: "The gate's certificate is not one that this machine trusts, or the address is not https.",
    example: "`sluice check --gate http://gate.example`",
    fix: "Name an https address, and the authority of its certificate with --ca FILE.",
  },
} as const satisfies Record<string, CodeEntry>;
