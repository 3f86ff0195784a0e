// What this installation has, as far as it can be known without starting anything: routes of models.yaml, and names of tools: those of
// files beside flows, of tools.yaml, and those that were found elsewhere before.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BUILT_IN_TOOL_NAMES } from '@baton/tools/built-in-names'
import type { Inventory } from '@baton/flow'
import { parse } from 'yaml'

/** Names of tools that come from elsewhere (MCP servers, OpenAPI documents), as `baton tools refresh` found them; beside models.yaml. */
export const KNOWN_TOOLS_FILE = 'tools.known.json'
/** The reference tool that `functions.database` switches on. */
const QUERY = 'database/query'
const TOOL_FILE = /\.(ts|mts|js|mjs)$/
const TOOL_NAME = /\bname:\s*['"]([\w.-]+\/[\w.-]+)['"]/g

/** For flows below some folders, and beside those of the installation. Without a readable models.yaml routes are not checked. */
export const readInventory = async (
  folders: readonly string[],
  env: { readonly [name: string]: string | undefined } = process.env,
): Promise<Inventory> => {
  const configDir = env['BATON_CONFIG_DIR'] ?? 'config'
  const routes = await routesOf(join(configDir, 'models.yaml'))
  const known = await knownTools(join(configDir, KNOWN_TOOLS_FILE))
  const installed = env['BATON_FLOWS_DIR'] ?? 'flows'
  const beside = await foldersIn(installed)
  const written = await writtenTools(join(configDir, 'tools.yaml'))
  const places = [...new Set([...folders, ...beside])].flatMap((folder) => [join(folder, 'tools'), join(folder, 'functions')])
  const tools = await Promise.all(places.map(toolsOf))
  return { tools: [...BUILT_IN_TOOL_NAMES, ...known, ...written, ...tools.flat()], ...(routes === undefined ? {} : { routes }) }
}

const routesOf = async (path: string): Promise<readonly string[] | undefined> => {
  try {
    const catalogue: unknown = parse(await readFile(path, 'utf8'))
    return ['models', 'routes'].flatMap((part) => keysOf(catalogue, part))
  } catch {
    return undefined // None here, or one that its own service will complain about.
  }
}

const writtenTools = async (path: string): Promise<readonly string[]> => {
  try {
    const config: unknown = parse(await readFile(path, 'utf8'))
    return [...keysOf(config, 'http'), ...(keysOf(config, 'functions').includes('database') ? [QUERY] : [])]
  } catch {
    return [] // None here, or one that its own service will complain about.
  }
}

const knownTools = async (path: string): Promise<readonly string[]> => {
  try {
    const known: unknown = JSON.parse(await readFile(path, 'utf8'))
    const tools: unknown = typeof known === 'object' && known !== null ? Reflect.get(known, 'tools') : undefined
    return Array.isArray(tools) ? tools.filter((name) => typeof name === 'string') : []
  } catch {
    return [] // Nobody looked yet.
  }
}

const keysOf = (value: unknown, part: string): readonly string[] => {
  const inner: unknown = typeof value === 'object' && value !== null && part in value ? Reflect.get(value, part) : undefined
  return typeof inner === 'object' && inner !== null ? Object.keys(inner) : []
}

const foldersIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))
}

/** Names as they stand in the files: loading a tool would run it. */
const toolsOf = async (folder: string): Promise<readonly string[]> => {
  const files = await readdir(folder).catch(() => [])
  const texts = await Promise.all(files.filter((name) => TOOL_FILE.test(name)).map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => [...text.matchAll(TOOL_NAME)].flatMap(([, name]) => (name === undefined ? [] : [name])))
}
