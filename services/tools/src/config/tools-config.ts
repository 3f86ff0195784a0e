// config/tools.yaml: which tools there are beside the built-in ones, what they may do, and how much.
//   T1. Every mistake is told with its line before anything starts (`config.invalid`); a word that nobody knows is a mistake.
import { join } from 'node:path'
import { z } from 'zod'
import type { AllowList } from '../http/address.policy.ts'
import { readHttp, readNetwork } from '../http/http.config.ts'
import type { HttpOperation } from '../http/http-operation.ts'
import { readOpenApiSection } from '../openapi/openapi.config.ts'
import { readRules, type ToolRules } from '../permissions/rules.config.ts'
import { readFunctions, type FunctionsConfig } from './functions.config.ts'
import { readSectionFile, type ConfigSection } from './section.ts'

const FILE = 'tools.yaml'
const SECTIONS = ['functions', 'http', 'openapi', 'mcp', 'rules', 'limits', 'taint', 'network', 'results'] as const

export type ToolsConfig = {
  readonly functions: FunctionsConfig
  readonly operations: readonly HttpOperation[]
  /** Operations of documents that cannot be tools, and why. */
  readonly left: readonly { readonly id: string; readonly reason: string }[]
  readonly network: AllowList
  readonly rules: ToolRules
  readonly resultChars: number
  /** For the MCP client, which reads it itself. */
  readonly mcp: ConfigSection
}

const Results = z.strictObject({ chars: z.number().int().min(200).max(1_000_000).default(16_000) }).prefault({})

const checkWords = (config: ConfigSection): void => {
  const { value = {} } = config
  if (typeof value !== 'object' || value === null) return
  const stranger = Object.keys(value).find((word) => !SECTIONS.some((section) => section === word))
  if (stranger !== undefined) throw config.refuse(`is no section: there are ${SECTIONS.join(', ')}`, stranger)
}

/** Reads the file; without one everything is as usual. Throws `config.invalid` (T1). */
export const readToolsConfig = async (configDir: string): Promise<ToolsConfig> => {
  const config = await readSectionFile(join(configDir, FILE))
  checkWords(config)
  const imported = await readOpenApiSection(config.part('openapi'), configDir)
  return {
    functions: readFunctions(config.part('functions')),
    operations: [...readHttp(config.part('http')), ...imported.operations],
    left: imported.left,
    network: readNetwork(config.part('network')),
    rules: readRules(config),
    resultChars: config.part('results').parse(Results).chars,
    mcp: config.part('mcp'),
  }
}
