import { parseSyntax } from '../source/yaml.ts'
import { createCompileData, type CompileData } from './data.ts'

/** Compiles a flow made in a program. Places in diagnostics are those of its JSON text. */
export const compileData: CompileData = createCompileData(parseSyntax)
