/** Rules about queries that look through fragments: cycles, introspection and subscriptions. */
import type { Query } from "./graphql-query-state.ts";
import type { Node, Selection } from "./graphql-tree.ts";
import { require } from "./graphql-types.ts";

/** No fragment may spread itself; every other rule counts on that. */
export function checkFragments(query: Query, all: readonly Node<"FragmentDefinition">[]): void {
  const done = new Set<string>();
  const path = new Set<string>();
  const visit = ({ Name, SelectionSet }: Node<"FragmentDefinition">): void => {
    if (done.has(Name)) return;
    done.add(Name);
    path.add(Name);
    for (const spread of spreadsIn(SelectionSet)) {
      require(!path.has(spread), `fragment ${spread} spreads itself`);
      const next = query.fragments.get(spread);
      if (next !== undefined) query.nested(() => visit(next));
    }
    path.delete(Name);
  };
  for (const one of all) visit(one);
}

function spreadsIn(selections: readonly Selection[]): readonly string[] {
  const [names, waiting]: [string[], (readonly Selection[])[]] = [[], [selections]];
  for (let set = waiting.pop(); set !== undefined; set = waiting.pop())
    for (const one of set) {
      if (one.shape === "FragmentSpread") names.push(one.Name);
      else waiting.push(one.SelectionSet);
    }
  return names;
}

/** gqlparser's own rule: lists of introspection multiply. */
const LISTS: ReadonlySet<string> = new Set(["fields", "interfaces", "possibleTypes", "inputFields"]);
const MAXIMUM_LISTS = 3;

/** @param field `__schema` or `__type` */
export function checkIntrospection(query: Query, field: Node<"Field">): void {
  /** What was seen, by depth in lists and fragment: looked at again it says the same. */
  const seen = new Set<string>();
  const visit = (selections: readonly Selection[], lists: number): void => {
    for (const one of selections) {
      query.step();
      if (one.shape === "Field") visitField(one, lists);
      else if (one.shape === "InlineFragment") query.nested(() => visit(one.SelectionSet, lists));
      else if (!seen.has(`${lists} ${one.Name}`)) {
        seen.add(`${lists} ${one.Name}`);
        query.nested(() => visit(query.fragments.get(one.Name)?.SelectionSet ?? [], lists));
      }
    }
  };
  const visitField = ({ Name, SelectionSet }: Node<"Field">, lists: number): void => {
    const inside = lists + (LISTS.has(Name) ? 1 : 0);
    require(inside < MAXIMUM_LISTS, "introspection goes too deep");
    query.nested(() => visit(SelectionSet, inside));
  };
  visitField(field, 0);
}

/** A subscription has one field, and none of introspection. */
export function checkSubscription(query: Query, { SelectionSet }: Node<"OperationDefinition">): void {
  const [names, entered] = [new Set<string>(), new Set<string>()];
  const visit = (selections: readonly Selection[]): void => {
    for (const one of selections) {
      if (one.shape === "Field") names.add(one.Name);
      else if (one.shape === "InlineFragment") query.nested(() => visit(one.SelectionSet));
      else if (!entered.has(one.Name)) {
        entered.add(one.Name);
        query.nested(() => visit(query.fragments.get(one.Name)?.SelectionSet ?? []));
      }
    }
  };
  visit(SelectionSet);
  require(names.size <= 1, "a subscription has more than one field");
  for (const name of names) require(!name.startsWith("__"), "a subscription asks for introspection");
}
