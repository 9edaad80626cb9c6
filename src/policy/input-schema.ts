/**
 * JSON Schemas (draft 7) of the policy input, the source of docs/reference/schemas/policy-input.*.schema.json. The
 * compiler checks every rule against the one of its scope, so that a misspelt field is a compile error and not a rule
 * that silently never speaks. Kept inside what OPA's type checker understands: no references, no combinations.
 */
import type { JsonObject, JsonValue } from "../lib/canonical.ts";

type Types = string | readonly string[];

function text(description: string, type: Types = "string"): JsonObject {
  return { type, description };
}

function choice(description: string, values: readonly JsonValue[], type = "string"): JsonObject {
  return { type, description, enum: values };
}

function closed(description: string, properties: JsonObject, type: Types = "object"): JsonObject {
  return { type, description, additionalProperties: false, required: Object.keys(properties), properties };
}

function list(description: string, items: JsonObject): JsonObject {
  return { type: "array", description, items };
}

/** Without a type: anything, so that rules may name every key that Kubernetes knows. */
function open(description: string): JsonObject {
  return { description };
}

const OR_NULL = ["object", "null"] as const;
const TEXT_OR_NULL = ["string", "null"] as const;

const RESOURCE_ID = closed("Identity of the resource.", {
  group: text("API group, empty for the core group."),
  version: text("API version without the group, for example v1."),
  kind: text("Kind as written, for example Deployment."),
  namespace: text("Namespace, empty for cluster-wide kinds."),
  name: text("Name of the object."),
});

const ACTION = choice("What the change does to this resource, compared with the last release.", [
  "create",
  "update",
  "delete",
  "unchanged",
]);

const SUBJECT = closed("What is judged.", {
  kind: choice("How it came here.", ["proposed", "landed", "admission", "scan", "drift", "file"]),
  target: closed("The target it is judged for.", {
    name: text("Name of the target in sluice.yaml."),
    repository: text("Name of the repository in gate.yaml."),
    branch: text("Branch of the target."),
    path: text("Folder of the target in the repository."),
    labels: { type: "object", description: "Labels of the target.", additionalProperties: { type: "string" } },
    mode: choice("What a verdict does: observe and warn record it, enforce acts on it.", [
      "observe",
      "warn",
      "enforce",
    ]),
  }),
  time: text("Time of the judgement, RFC 3339, recorded with the decision: the only clock a policy sees."),
});

const RESOURCE = closed("One rendered object.", {
  id: RESOURCE_ID,
  action: ACTION,
  object: open("The object that would be applied, Secret data masked; null on delete."),
  previous: open("The object of the last release, Secret data masked; null on create."),
  origin: closed(
    "Where the object is written; null where nobody knows.",
    {
      file: text("Path in the repository."),
      line: text("Line of the document's start, from 1.", "integer"),
      tool: text("Renderer that made it, for example plain."),
    },
    OR_NULL,
  ),
});

const CONTAINER = closed("One container.", {
  at: text("JSON pointer of the container in the object, for example /spec/template/spec/containers/0."),
  type: choice("The list it stands in.", ["container", "init", "ephemeral"]),
  spec: open("The container as written: open, with every key Kubernetes knows."),
});

const POD = closed(
  "The pod of a workload, found for the policies; null for every other kind and on delete.",
  {
    at: text("JSON pointer (RFC 6901) of the pod spec in the object, for example /spec/template/spec."),
    spec: open("The pod spec as written: open, with every key Kubernetes knows."),
    containers: list("Containers of every type, in the order they are written.", CONTAINER),
  },
  OR_NULL,
);

const PULL_REQUEST = closed(
  "The pull request the change comes from; null where there is none.",
  {
    number: text("Number at the forge.", "integer"),
    title: text("Title: hostile text."),
    labels: list("Labels.", text("A label.")),
    url: text("Address of its page."),
    ticket: text("Ticket it names; null when it names none.", TEXT_OR_NULL),
  },
  OR_NULL,
);

function change(description: string, type: Types): JsonObject {
  const properties: JsonObject = {
    base: text("Commit the change starts from."),
    head: text("Last commit of the change."),
    tree: text("Tree id of the merge result: the content that is judged."),
    author: text("Author of the head commit."),
    kinds: list(
      "Kinds of change it contains.",
      choice("A kind of change.", [
        "application-configuration",
        "image",
        "cluster-configuration",
        "environment-fix",
        "new-infrastructure",
        "environment-update",
      ]),
    ),
    paths: list(
      "Changed paths of the repository, added and removed ones included, sorted.",
      text("A path without a leading slash."),
    ),
    resources: list(
      "All resources of the target with what happens to each.",
      closed("One resource.", { id: RESOURCE_ID, action: ACTION }),
    ),
    pullRequest: PULL_REQUEST,
  };
  return closed(description, properties, type);
}

function identity(what: string): JsonObject {
  return closed(`Who says to have ${what} it: a claim, not a proof.`, {
    name: text("Name as the commit writes it; anybody can write any name."),
    email: text("Address as the commit writes it; anybody can write any address."),
  });
}

const HARDWARE = closed(
  "What the key's device proved; null for a key without a device.",
  { touch: text("Someone touched the device.", "boolean"), pin: text("Someone gave the device's PIN.", "boolean") },
  OR_NULL,
);

const SIGNER = closed(
  "Whose key signed it; null unless verified.",
  {
    person: text("Id of the person, robot or forge in the trust folder."),
    roles: list("Roles of the signer.", text("A role.")),
    class: choice("What the key belongs to.", ["person", "robot", "forge"]),
    key: text("Fingerprint of the key."),
    hardware: HARDWARE,
  },
  OR_NULL,
);

const COMMITS = list(
  "Commits of the change, oldest first; empty where no commit is involved.",
  closed("One commit.", {
    id: text("Commit id."),
    author: identity("written"),
    committer: identity("committed"),
    message: text("Commit message: hostile text."),
    verification: closed("What became of its signature.", {
      kind: choice("Outcome.", ["verified", "rejected"]),
      reason: text("Code of the rejection; null when verified.", TEXT_OR_NULL),
      format: text("Format of the signature, for example ssh; null when there is none.", TEXT_OR_NULL),
      signer: SIGNER,
      timeBasis: text("Time at which trust was evaluated: receipt (the gate first saw the commit) or now."),
    }),
  }),
);

const APPROVALS = list(
  "Approvals of exactly this content.",
  closed("One approval.", {
    person: text("Id of the person in the trust folder."),
    roles: list("Roles of the person.", text("A role.")),
    at: text("Time of the approval, RFC 3339."),
    via: choice("How it was given.", ["signature", "forge"]),
  }),
);

const CHECKS = list(
  "Results of upstream checks (SARIF, JUnit, the forge).",
  closed("One check.", {
    name: text("Name of the check."),
    conclusion: text("What it came to, for example success."),
    at: text("When it ended, RFC 3339."),
    commit: text("Commit it ran on."),
    source: text("Who says so."),
  }),
);

function input(title: string, description: string, parts: JsonObject): JsonObject {
  const properties: JsonObject = {
    version: choice("Version of this document.", [1], "integer"),
    subject: SUBJECT,
    ...parts,
    commits: COMMITS,
    approvals: APPROVALS,
    checks: CHECKS,
    request: open("The AdmissionReview request in admission; null everywhere else."),
  };
  return { $schema: "http://json-schema.org/draft-07/schema#", title, ...closed(description, properties) };
}

/** OPA's checker has no type for "always null"; a text is the one whose fields no rule can name. */
const ALWAYS_NULL: JsonObject = {
  type: ["string", "null"],
  enum: [null],
  description: "Always null: this document is about the change as a whole.",
};

/** By scope; the names under which the compiler is given them. */
export const INPUT_SCHEMAS = {
  resource: input(
    "Policy input, scope resource",
    "What a policy of scope resource sees as input: one document per resource.",
    {
      resource: RESOURCE,
      pod: POD,
      change: change("The change this resource is part of; null outside changes.", OR_NULL),
    },
  ),
  change: input("Policy input, scope change", "What a policy of scope change sees as input: one document per change.", {
    resource: ALWAYS_NULL,
    pod: ALWAYS_NULL,
    change: change("The change as a whole.", "object"),
  }),
} as const satisfies Record<string, JsonObject>;
