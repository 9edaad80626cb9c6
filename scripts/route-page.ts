/** docs/reference/routes.md: every route with who may call it, from the list that the server itself reads. */
import { CALLERS, type CallerRole } from "../src/server/access/principal.ts";
import { ALLOWANCES } from "../src/server/http/paces.ts";
import { ROUTES } from "../src/server/http/routes.ts";

const HEADS: Readonly<Record<CallerRole, string>> = {
  nobody: "nobody",
  local: "local",
  reader: "reader",
  auditor: "auditor",
  approver: "approver",
  operator: "operator",
  admin: "admin",
  caller: "caller",
};

export function routePage(generated: string): string {
  const head = ["route", ...CALLERS.map((role) => HEADS[role])];
  const rows = ROUTES.map(({ method, path, roles, isLogged }) => [
    `\`${method} ${path}\``,
    ...CALLERS.map((role) => cell(role, roles.includes(role), isLogged)),
  ]);
  const table = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const words = ROUTES.map(({ method, path, summary }) => `- \`${method} ${path}\`: ${summary}`).join("\n");
  const paces = Object.entries(ALLOWANCES).map(
    ([pace, { perMinute, burst }]) => `- ${pace}: ${perMinute} a minute, ${burst} at once`,
  );
  return `# Routes

${generated}

Who may call what. 200 means let in; 401 that nobody known is calling; 403 that the role may not do this. *nobody* has no
token or certificate, or none that counts; *local* is anybody on the gate's own machine where no access is configured.
"200, logged": an auditor's call is an entry of the log before it is answered. A test asks every cell.

${table}

${words}

## How often

By token, by certificate, and for strangers by address; more is answered 429 with \`Retry-After\`, and nothing is judged.

${paces.join("\n")}
`;
}

function cell(role: CallerRole, isPermitted: boolean, isLogged: boolean): string {
  if (!isPermitted) return role === "nobody" || role === "local" ? "401" : "403";
  return role === "auditor" && isLogged ? "200, logged" : "200";
}
