/** Objects and policies to measure with: a Deployment that passes the whole library, and one rule in Gatekeeper's manner. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../src/lib/canonical.ts";
import type { PolicyFile } from "../src/policy/policy-set.ts";

const POLICIES = join(import.meta.dirname, "../policies");
const DIGEST = "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1";

/** The policy library, as files of a tree. */
export function library(): readonly PolicyFile[] {
  const paths = globSync("*/*.rego", { cwd: POLICIES }).filter((path) => !path.endsWith("_test.rego"));
  return paths.sort().map((path) => ({ path: `policies/${path}`, text: readFileSync(join(POLICIES, path), "utf8") }));
}

export interface DeploymentShape {
  readonly replicas?: number;
  readonly privileged?: boolean;
}

export function goodDeployment(name: string, namespace: string, shape: DeploymentShape = {}): JsonObject {
  const { replicas = 3, privileged = false } = shape;
  const labels = { app: name, team: "shop" };
  const spec = {
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container(name, privileged)],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec },
    },
  };
}

function container(name: string, privileged: boolean): JsonObject {
  return {
    name,
    image: `registry.example/shop/${name}:1.4.2@${DIGEST}`,
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    env: [
      { name: "LOG_LEVEL", value: "info" },
      { name: "LISTEN", value: "0.0.0.0:8080" },
      { name: "DATABASE", value: "postgres://db.shop.svc:5432/orders" },
    ],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 5 },
    livenessProbe: { httpGet: { path: "/live", port: 8080 }, periodSeconds: 10 },
    securityContext: {
      privileged,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

/** Registries, labels, privileges and limits as Gatekeeper's library asks for them; native built-ins only, for every host. */
export const GATEKEEPER_LIKE: PolicyFile = {
  path: "policies/gatekeeper-like/policy.rego",
  text: `# METADATA
# title: Containers are as the platform wants them
# custom:
#   id: gatekeeper-like
#   level: high
#   fix: Change the container.
package bench.gatekeeper_like

registry := \`^(registry\\.internal|mirror\\.internal)/[a-z0-9/_.-]+(:[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64}$\`

deny contains {"message": message, "at": concat("/", [container.at, "image"])} if {
	some container in input.pod.containers
	not regex.match(registry, container.spec.image)
	message := concat(" ", ["image", container.spec.image, "is from no registry of ours"])
}

deny contains {"message": message, "at": concat("/", [container.at, "securityContext", "privileged"])} if {
	some container in input.pod.containers
	container.spec.securityContext.privileged
	message := concat(" ", ["container", container.spec.name, "is privileged"])
}

deny contains {"message": message, "at": concat("/", [container.at, "resources", "limits"])} if {
	some container in input.pod.containers
	not container.spec.resources.limits.cpu
	message := concat(" ", ["container", container.spec.name, "has no cpu limit"])
}

deny contains {"message": concat(" ", ["label", label, "is missing"]), "at": "/metadata/labels"} if {
	some label in {"owner", "cost-centre", "app"}
	not input.resource.object.metadata.labels[label]
}
`,
};
