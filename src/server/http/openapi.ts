/** The OpenAPI 3.1 document: made from the list of routes and their own schemas, so that it cannot say anything else. */
import * as z from "zod";
import { sha256Hex } from "../../lib/digest.ts";
import { VERSION } from "../../lib/version.ts";
import { problemSchema } from "./problem.ts";
import { RAW_BODY, type Route } from "./route.ts";

type Node = Readonly<Record<string, unknown>>;

const PROBLEM_TYPE = "application/problem+json";
const PROBLEM_REF = { $ref: "#/components/responses/Problem" };

export function openApiDocument(routes: readonly Route[]): Node {
  const paths: Record<string, Record<string, Node>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll("+}", "}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return hoisted({
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: VERSION,
      description: "Decisions, proofs, releases and holds of a gate. Every refusal has a stable code.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { certificate: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "From `sluice token new`." },
        certificate: { type: "mutualTLS", description: "Its whole subject stands in gate.yaml." },
      },
      schemas: { Problem: jsonSchema(problemSchema, "output") },
      responses: {
        Problem: {
          description: "Refused, with a stable code.",
          content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  });
}

/**
 * A schema that names itself has `$defs` of its own, and refers to them from its own top; in a document the top is the
 * document's, so they move to `components`, where equal ones are one.
 */
function hoisted(document: Node & { readonly components: Node }): Node {
  const shared = new Map<string, unknown>();
  const moved = move(document, {}, shared) as Node & { readonly components: Node };
  const schemas = { ...(moved.components["schemas"] as Node), ...Object.fromEntries(shared) };
  return { ...moved, components: { ...moved.components, schemas } };
}

/** `names`: what the nearest `$defs` above call their members -> where these are now. */
function move(value: unknown, names: Readonly<Record<string, string>>, shared: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => move(item, names, shared));
  if (typeof value !== "object" || value === null) return value;
  const { $defs = {}, ...rest } = value as { $defs?: Readonly<Record<string, unknown>> };
  const own = Object.entries($defs).map(([name, schema]): [string, string] => [
    name,
    `Shared${sha256Hex(JSON.stringify(schema)).slice(0, 8)}`,
  ]);
  const known = { ...names, ...Object.fromEntries(own) };
  for (const [name, place] of own) shared.set(place, move($defs[name], known, shared));
  const entries = Object.entries(rest).map(([key, item]) => {
    const name = key === "$ref" && typeof item === "string" ? item.replace("#/$defs/", "") : "";
    return [key, known[name] === undefined ? move(item, known, shared) : `#/components/schemas/${known[name]}`];
  });
  return Object.fromEntries(entries);
}

function operation(route: Route): Node {
  const { id, summary, roles, body } = route;
  return {
    operationId: id,
    summary,
    description: `For ${roles.join(", ")}.`,
    ...(roles.includes("nobody") ? { security: [] } : {}),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...requestBody(body),
    responses: responses(route),
  };
}

function requestBody(body: Route["body"]): Node {
  if (body === null) return {};
  const content =
    body === RAW_BODY
      ? { "application/octet-stream": { schema: { type: "string" } } }
      : { "application/json": { schema: jsonSchema(body, "input") } };
  return { requestBody: { required: body !== RAW_BODY, content } };
}

function headerParameters({ headers }: Route): readonly Node[] {
  return Object.entries(headers).map(([name, description]) =>
    parameter(name, "header", { type: "string", description }, true),
  );
}

function responses(route: Route): Node {
  const refused = [400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 429, 500, 501, 503];
  const unready = route.id === "readyz" ? { 503: answered(route, "Not ready.") } : {};
  const problems = Object.fromEntries(refused.map((status) => [status, PROBLEM_REF]));
  return { 200: answered(route, "Answered."), ...problems, ...unready };
}

function answered({ answer, otherType }: Route, description: string): Node {
  if (!(answer instanceof z.ZodType))
    return { description, content: { [answer.type]: { schema: { type: "string" } } } };
  const other = otherType === null ? {} : { [otherType]: { schema: { type: "string" } } };
  return { description, content: { "application/json": { schema: jsonSchema(answer, "output") }, ...other } };
}

function pathParameters({ parameters }: Route): readonly Node[] {
  return Object.entries(parameters).map(([name, schema]) => parameter(name, "path", jsonSchema(schema, "input"), true));
}

function queryParameters({ query }: Route): readonly Node[] {
  const { properties = {}, required = [] } = jsonSchema(query, "input") as {
    properties?: Readonly<Record<string, Node>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => parameter(name, "query", schema, required.includes(name)));
}

function parameter(name: string, where: "path" | "query" | "header", whole: Node, required: boolean): Node {
  const { description, ...schema } = whole;
  const list = schema["type"] === "array" ? { style: "form", explode: true } : {};
  return { name, in: where, required, ...(description === undefined ? {} : { description }), ...list, schema };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Node {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Record<string, unknown>;
  return rest;
}
