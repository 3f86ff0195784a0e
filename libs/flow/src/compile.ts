import { compileText, type CompileOptions, type CompileResult } from './compile-text.ts'
import { parseSyntax } from './source/yaml.ts'

export type { CompileResult } from './compile-text.ts'

/**
 * Compiles the flow file `entry`. Files are text by path; prompts and schemas are looked for beside the entry, then at the root.
 * With `follows`, the plan of the version before, it is also looked at what the new version breaks of it.
 * With `inventory`, tools and routes have to be there.
 * Never throws for what stands in a file: every mistake is a diagnostic with its place.
 */
export const compileFlow = (options: CompileOptions): CompileResult => compileText(options, { entry: parseSyntax, files: parseSyntax })
