/** What the page of a code says. */
export type DiagnosticPage = {
  /** One line: what is wrong. */
  readonly title: string
  /** Why it matters, and when it is found. */
  readonly about: string
  /** A flow that gives the code. */
  readonly wrong: string
  /** The same flow as it should be; absent where nothing in the file itself is to be changed. */
  readonly right?: string
  /** What to do about it. */
  readonly fix: string
  /** Files beside the flow, by path. */
  readonly files?: { readonly [path: string]: string }
  /**
   * What finds it: the compiler from the files alone; the compiler when it is told which tools and routes there are; the comparison
   * with the version before, which is `files['before.yaml']`; or the command, for what never reaches the compiler.
   */
  readonly foundBy: 'compiler' | 'inventory' | 'comparison' | 'command'
}
