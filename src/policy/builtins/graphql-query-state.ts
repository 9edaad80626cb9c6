/** What the rules about one query share: what the walk has found, and how far any of them may go. */
import { LimitError } from "./call.ts";
import { MAXIMUM_DEPTH, type Node } from "./graphql-tree.ts";
import { require, type Schema, type TypeDefinition } from "./graphql-types.ts";

export interface PlacedField {
  readonly parent: TypeDefinition;
  readonly definition: Node<"FieldDefinition">;
}

/** A text of 1 MiB that says everything once takes fewer. */
const MAXIMUM_STEPS = 500_000;

export class Query {
  readonly schema: Schema;
  readonly fragments: ReadonlyMap<string, Node<"FragmentDefinition">>;
  readonly fields = new Map<Node<"Field">, PlacedField>();
  #steps = 0;
  #depth = 0;

  constructor(schema: Schema, fragments: readonly Node<"FragmentDefinition">[]) {
    this.schema = schema;
    this.fragments = new Map(fragments.map((one) => [one.Name, one]));
    require(this.fragments.size === fragments.length, "there are two fragments of one name");
  }

  /** Fragments and aliases make a check grow faster than its text. @throws LimitError */
  step(): void {
    if (++this.#steps > MAXIMUM_STEPS) throw new LimitError("the GraphQL document takes too many steps to check");
  }

  /** @throws LimitError */
  nested<Result>(run: () => Result): Result {
    if (++this.#depth > MAXIMUM_DEPTH) throw new LimitError("the GraphQL document is nested too deep");
    const result = run();
    this.#depth--;
    return result;
  }
}
