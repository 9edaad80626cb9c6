/** What the repository of a test world holds at first: objects, four small rules, and the words to vary them. */

export type Json = Record<string, unknown>;
/** Content by path; null leaves a file out. */
export type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** One rule in a package of its own; `custom` are further lines of its METADATA. */
export function policy(id: string, body: string, custom: readonly string[] = []): string {
  const extra = custom.map((line) => `#   ${line}\n`).join("");
  const head = `# METADATA\n# title: ${id}\n# custom:\n#   id: ${id}\n#   level: high\n#   fix: Do something else.\n${extra}`;
  return `${head}package rules.${id.replaceAll("-", "_")}\n\n${body}\n`;
}

const PRIVILEGED = `deny contains {"message": "the container is privileged", "at": at} if {
	some container in input.pod.containers
	container.spec.securityContext.privileged == true
	at := concat("/", [container.at, "securityContext", "privileged"])
}`;

const REPLICAS = `warn contains {"message": "one replica is no replica", "at": "/spec/replicas"} if {
	input.resource.object.spec.replicas == 1
}`;

const FRIDAY = `deny contains {"message": "a commit says friday", "at": ""} if {
	some commit in input.commits
	contains(commit.message, "friday")
}`;

export const POLICIES = {
  "policies/no-privileged/policy.rego": policy("no-privileged", PRIVILEGED, ["match: {kinds: [Deployment]}"]),
  "policies/few-replicas/policy.rego": policy("few-replicas", REPLICAS, ["match: {kinds: [Deployment]}"]),
  "policies/bad-label/policy.rego": policy(
    "bad-label",
    `deny contains {"message": "the label says so", "at": "/metadata/labels/bad"} if input.resource.object.metadata.labels.bad`,
  ),
  "policies/no-friday/policy.rego": policy("no-friday", FRIDAY, ["scope: change"]),
} as const satisfies Files;

/** None of the rules above, for tests that bring their own. */
export const NO_POLICIES: Files = Object.fromEntries(Object.keys(POLICIES).map((path) => [path, null]));

interface DeploymentChange {
  readonly replicas?: number;
  readonly privileged?: boolean;
  readonly labels?: Json;
  readonly env?: Readonly<Record<string, string>>;
}

/** JSON, which is YAML too. */
export function deployment(name: string, change: DeploymentChange = {}): string {
  const { replicas = 2, privileged = false, labels = {}, env = {} } = change;
  const container = {
    name,
    image: `registry.example/${name}:1.4`,
    securityContext: { privileged },
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
  };
  const template = { metadata: { labels: { app: name } }, spec: { containers: [container] } };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  return document({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "apps", labels }, spec });
}

export function configMap(name: string, data: Json = { colour: "green" }): string {
  return document({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "apps" }, data });
}

export function document(object: unknown): string {
  return `${JSON.stringify(object, null, 2)}\n`;
}

/** What a change of the four rules looks like that lets everything pass. */
export const WEAKENED: Files = { "policies/no-privileged/policy.rego": policy("no-privileged", "deny := set()") };
