// What the installation is to run: models and flows.
import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { flowFolders } from '@baton/gateway'
import { loadCatalogue } from '@baton/models'
import type { Environment } from '@baton/service'
import { readFlow } from '../platform/flow-source.ts'
import { fail, pass, warn, type Finding } from './finding.ts'

/** Whether a step that generates text has anybody to ask. Throws where the file has a mistake. */
export const modelFindings = async ({ config }: Environment): Promise<readonly Finding[]> => {
  const { flowsDir, openai } = config
  const catalogue = await loadCatalogue(config.configDir, { flowsDir, nowMs: Date.now, ...(openai === undefined ? {} : { openai }) })
  const models = catalogue.list()
  const usable = models.filter(({ configured }) => configured)
  const check = 'models'
  if (usable.some(({ local }) => !local)) return [pass({ check, message: `${usable.length} of ${models.length} models can be used` })]
  return [
    warn({
      check,
      message: `no generative provider; ${usable.length} local model${usable.length === 1 ? '' : 's'} can be used`,
      help: 'set OPENAI_BASE_URL, and OPENAI_API_KEY where the server wants one; until then such a step fails with model.none_configured',
    }),
  ]
}

/** Whether the flows of the flows folder compile. */
export const flowFindings = async ({ config: { flowsDir } }: Environment): Promise<readonly Finding[]> => {
  const check = 'flows'
  const found = await Promise.all((await flowFolders(flowsDir)).map(inspectFlow))
  const flows = found.filter(({ broken }) => broken !== undefined)
  const wrong = flows.filter(({ broken }) => broken === true)
  if (flows.length === 0)
    return [warn({ check, message: `no flow in ${flowsDir}`, help: '"baton init DIR" makes one; BATON_FLOWS_DIR names the folder' })]
  if (wrong.length === 0) return [pass({ check, message: `${flows.length} flow${flows.length === 1 ? '' : 's'} compile` })]
  const paths = wrong.map(({ folder }) => relative(process.cwd(), folder) || folder)
  return [fail({ check, message: `mistakes in ${paths.join(', ')}; they are not published`, help: `baton check ${paths.join(' ')}` })]
}

/** `broken` is absent where the folder holds no flow. */
const inspectFlow = async (folder: string): Promise<{ readonly folder: string; readonly broken?: boolean }> => {
  const entries = await Promise.all(['flow.yaml', 'flow.yml', 'flow.json'].map((name) => stat(join(folder, name)).catch(() => undefined)))
  if (entries.every((entry) => entry === undefined)) return { folder }
  return { folder, broken: !(await readFlow(folder)).result.ok }
}
