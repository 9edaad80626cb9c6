/**
 * The module `name` beside the one whose `import.meta.url` is `from`, in the language that runs: TypeScript sources while
 * developing, JavaScript when built. Threads are started from it.
 */
export function siblingModule(from: string, name: string): URL {
  return new URL(`./${name}${from.slice(from.lastIndexOf("."))}`, from);
}
