/** What the demo's repository, gate and agent hold, as text: also an example of each file. */
const DIGEST = "sha256:1f0e2b6d7c9a4e5f8b3d2c1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e";

export function repository(keys: Readonly<Record<string, string>>, hasGpg: boolean): Readonly<Record<string, string>> {
  const forgeKey = hasGpg ? "keys/github.asc" : (keys["github"] ?? "");
  return {
    "sluice.yaml": `version: 1
ignore: ["*.md"]
targets:
  prod:
    branch: main
    path: clusters/prod
    approvals: {count: 1, roles: [platform]}   # somebody of the platform team, never the author
  staging:
    branch: main
    path: clusters/staging
`,
    "trust/people.yaml": `people:
  ada: {email: [ada@example.com], keys: ["${keys["ada"]}"]}
  lin: {email: [lin@example.com], roles: [platform], keys: ["${keys["lin"]}"]}
  jo: {email: [jo@example.com], roles: [security], keys: ["${keys["jo"]}"]}
forges:
  github: {keys: ["${forgeKey}"], may: [squash, merge]}
`,
    "README.md": "# shop\n",
  };
}

export function manifests(): Readonly<Record<string, string>> {
  return {
    "clusters/prod/web.yaml": deployment({
      image: `registry.example/web:1.4@${DIGEST}`,
      replicas: 2,
      security: "{capabilities: {drop: [ALL]}}",
    }),
    "clusters/prod/service.yaml": SERVICE,
    "clusters/staging/web.yaml": deployment({
      image: `registry.example/web:1.5@${DIGEST}`,
      replicas: 1,
      security: "{capabilities: {drop: [ALL]}}",
    }),
  };
}

export interface DeploymentText {
  readonly image: string;
  readonly replicas: number;
  /** The container's security context, as YAML. */
  readonly security: string;
}

export const PINNED = `registry.example/web:1.6@${DIGEST}`;

export function deployment({ image, replicas, security }: DeploymentText): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apps}
spec:
  replicas: ${replicas}
  strategy: {type: RollingUpdate}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true}
      containers:
        - name: web
          image: ${image}
          readinessProbe: {httpGet: {path: /healthz, port: 8080}}
          securityContext: ${security}
          resources:
            requests: {cpu: 100m, memory: 64Mi}
            limits: {memory: 128Mi}
`;
}

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: apps}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

export function gateYaml(agentKey: string): string {
  return `version: 1
repositories: {shop: {url: ../forge/shop.git}}
targets:
  prod: {repository: shop, branch: main, channels: [{directory: ../channel/prod}], agents: ["${agentKey}"], reports: ../reports}
  staging: {repository: shop, branch: main, channels: [{directory: ../channel/staging}]}
log: {store: "sqlite:./data/log.db", origin: gate.example/log, key: {file: log.key}, anchor: ../anchor}
release: {key: {file: release.key}}
`;
}

export function agentYaml(logKey: string, releaseKey: string): string {
  return `version: 1
target: prod
channel: {directory: ../channel/prod}
apply: {files: ../www}
name: prod-1
key: {file: agent.key}
report: {directory: ../reports}
log: {origin: gate.example/log, keys: ["${logKey}"]}
releaseKeys: ["${releaseKey}"]
minimumSequence: 1
state: ./state
`;
}
