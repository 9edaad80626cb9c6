/** Ten rules that clusters commonly have, as ConstraintTemplates in Rego v0, each with one constraint. Written for this. */
import type { PolicyFile } from "../src/policy/policy-set.ts";
import { constraint, template } from "../test/policy/dialects/fixtures.ts";

/** Containers of an object, whatever holds them; each template has its own copy, as templates do. */
const CONTAINERS = `
containers[c] { c := spec.containers[_] }
containers[c] { c := spec.initContainers[_] }

spec = s { s := input.review.object.spec.template.spec }
spec = s { not input.review.object.spec.template; s := input.review.object.spec }
`;

const MATCH = "match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}], excludedNamespaces: [kube-system]}";

const RULES: readonly (readonly [kind: string, rego: string, parameters: string])[] = [
  [
    "BenchRequiredLabels",
    `
violation[{"msg": msg, "details": {"missing": missing}}] {
	given := {label | input.review.object.metadata.labels[label]}
	wanted := {label | label := input.parameters.labels[_].key}
	missing := wanted - given
	count(missing) > 0
	msg := sprintf("labels are missing: %v", [missing])
}

violation[{"msg": msg}] {
	value := input.review.object.metadata.labels[key]
	expected := input.parameters.labels[_]
	expected.key == key
	expected.pattern != ""
	not regex.match(expected.pattern, value)
	msg := sprintf("label %v is %v, which does not match %v", [key, value, expected.pattern])
}
`,
    'labels: [{key: app, pattern: "^[a-z0-9-]+$"}, {key: team, pattern: ""}]',
  ],
  [
    "BenchAllowedRegistries",
    `${CONTAINERS}
violation[{"msg": msg}] {
	c := containers[_]
	good := [ok | registry := input.parameters.registries[_]; ok := startswith(c.image, registry)]
	not any(good)
	msg := sprintf("container %v has image %v, which is from none of %v", [c.name, c.image, input.parameters.registries])
}
`,
    'registries: ["registry.example/", "mirror.example/"]',
  ],
  [
    "BenchContainerLimits",
    `${CONTAINERS}
factor("Ki") = 1024
factor("Mi") = 1048576
factor("Gi") = 1073741824

bytes(text) = n {
	unit := substring(text, count(text) - 2, -1)
	n := to_number(replace(text, unit, "")) * factor(unit)
}

violation[{"msg": msg}] {
	c := containers[_]
	not c.resources.limits.memory
	msg := sprintf("container %v has no memory limit", [c.name])
}

violation[{"msg": msg}] {
	c := containers[_]
	bytes(c.resources.limits.memory) > bytes(input.parameters.memory)
	msg := sprintf("container %v may use %v, more than %v", [c.name, c.resources.limits.memory, input.parameters.memory])
}
`,
    "memory: 1Gi",
  ],
  [
    "BenchPrivileged",
    `${CONTAINERS}
exempt(c) { startswith(c.image, input.parameters.exempt[_]) }

violation[{"msg": msg, "details": {}}] {
	c := containers[_]
	c.securityContext.privileged
	not exempt(c)
	msg := sprintf("container %v is privileged", [c.name])
}
`,
    'exempt: ["registry.example/system/"]',
  ],
  [
    "BenchHostNamespaces",
    `${CONTAINERS}
violation[{"msg": msg}] {
	shared := {key | key := ["hostPID", "hostIPC", "hostNetwork"][_]; spec[key] == true}
	count(shared) > 0
	msg := sprintf("%v shares %v with its host", [input.review.object.metadata.name, shared])
}
`,
    "",
  ],
  [
    "BenchReadOnlyRoot",
    `${CONTAINERS}
violation[{"msg": msg}] {
	c := containers[_]
	not is_read_only(c)
	msg := sprintf("container %v writes to its root file system", [c.name])
}

is_read_only(c) { c.securityContext.readOnlyRootFilesystem == true }
`,
    "",
  ],
  [
    "BenchCapabilities",
    `${CONTAINERS}
violation[{"msg": msg}] {
	c := containers[_]
	added := {one | one := c.securityContext.capabilities.add[_]}
	allowed := {one | one := input.parameters.allowed[_]}
	count(added - allowed) > 0
	msg := sprintf("container %v adds capabilities %v", [c.name, added - allowed])
}

violation[{"msg": msg}] {
	c := containers[_]
	dropped := {lower(one) | one := c.securityContext.capabilities.drop[_]}
	required := {lower(one) | one := input.parameters.dropped[_]}
	count(required - dropped) > 0
	not dropped["all"]
	msg := sprintf("container %v keeps capabilities %v", [c.name, required - dropped])
}
`,
    "allowed: [NET_BIND_SERVICE]\n    dropped: [NET_RAW, SYS_ADMIN]",
  ],
  [
    "BenchReplicas",
    `
violation[{"msg": msg}] {
	replicas := input.review.object.spec.replicas
	not in_range(replicas)
	msg := sprintf("%v has %v replicas, allowed are %v", [input.review.object.metadata.name, replicas, input.parameters.ranges])
}

in_range(n) {
	range := input.parameters.ranges[_]
	n >= range.least
	n <= range.most
}
`,
    "ranges: [{least: 2, most: 5}]",
  ],
  [
    "BenchDigest",
    `${CONTAINERS}
violation[{"msg": msg}] {
	c := containers[_]
	not regex.match("@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+", c.image)
	msg := sprintf("container %v has image %v without a digest", [c.name, c.image])
}
`,
    "",
  ],
  [
    "BenchProbes",
    `${CONTAINERS}
kinds = {"httpGet", "tcpSocket", "exec", "grpc"}

violation[{"msg": msg}] {
	c := containers[_]
	probe := input.parameters.probes[_]
	not has_probe(c, probe)
	msg := sprintf("container %v has no %v", [c.name, probe])
}

has_probe(c, probe) {
	kind := kinds[_]
	c[probe][kind]
}
`,
    "probes: [readinessProbe, livenessProbe]",
  ],
];

export const TEN_TEMPLATES: readonly PolicyFile[] = RULES.flatMap(([kind, rego, parameters]) => [
  template(kind, `package ${kind.toLowerCase()}\n${rego}`),
  constraint(kind, "all", [
    MATCH,
    ...(parameters === "" ? [] : ["parameters:", `  ${parameters.replaceAll("\n    ", "\n    ")}`]),
  ]),
]);
