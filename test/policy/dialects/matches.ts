/** What `spec.match` of a constraint selects among six objects: gatekeeper.test.ts asks us, gator.heavy.test.ts asks gator. */

/** [spec.match, names of what it selects] */
export const MATCHES: readonly (readonly [string, readonly string[]])[] = [
  ["{}", ["apps", "kube-system", "web", "web-config", "token", "admin"]],
  ["{kinds: [{apiGroups: [apps], kinds: [Deployment]}]}", ["web"]],
  ['{kinds: [{apiGroups: [""], kinds: ["*"]}]}', ["apps", "kube-system", "web-config", "token"]],
  ['{kinds: [{apiGroups: ["*"], kinds: [Secret, ClusterRole]}]}', ["token", "admin"]],
  ["{kinds: [{kinds: [Secret]}, {apiGroups: [apps]}]}", ["web", "token"]],
  ["{namespaces: [apps]}", ["apps", "web", "web-config", "admin"]],
  ['{namespaces: ["kube-*"]}', ["kube-system", "token", "admin"]],
  ['{excludedNamespaces: ["kube-*"]}', ["apps", "web", "web-config", "admin"]],
  ['{excludedNamespaces: ["*-system", "*pp*"]}', ["admin"]],
  ["{scope: Cluster}", ["apps", "kube-system", "admin"]],
  ["{scope: Namespaced}", ["web", "web-config", "token"]],
  ['{scope: "*", name: "web*"}', ["web", "web-config"]],
  ["{name: web}", ["web"]],
  ["{labelSelector: {matchLabels: {app: web}}}", ["web", "web-config"]],
  [
    "{labelSelector: {matchExpressions: [{key: app, operator: In, values: [web, admin]}]}}",
    ["web", "web-config", "admin"],
  ],
  [
    "{labelSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}",
    ["apps", "kube-system", "token", "admin"],
  ],
  ["{labelSelector: {matchExpressions: [{key: tier, operator: Exists}]}}", ["web"]],
  [
    "{labelSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: DoesNotExist}]}}",
    ["web-config"],
  ],
  ["{namespaceSelector: {matchLabels: {team: web}}}", ["apps", "web", "web-config", "admin"]],
  ["{namespaceSelector: {matchExpressions: [{key: env, operator: DoesNotExist}]}}", ["kube-system", "token", "admin"]],
  ["{source: All, kinds: []}", ["apps", "kube-system", "web", "web-config", "token", "admin"]],
];
