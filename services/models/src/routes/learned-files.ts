// Artefacts of learned routes, read from the flows folder.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Fault, toFault } from '@baton/contracts/fault'
import { loadRouterModel, promptFeatures, routerScore } from '@baton/policy/router'
import { judgeAnswer, loadJudge } from '@baton/policy/cascade'
import { z } from 'zod'
import type { AnswerJudge, LearnedRoutes } from './learned-routes.ts'

/** What tuning wrote beside what it learned. */
const Tuned = z.looseObject({ about: z.looseObject({ threshold: z.number().min(0).max(1) }) })

const unzip = promisify(gunzip)

const readJson = async (path: string): Promise<unknown> => {
  const bytes = await readFile(path)
  return JSON.parse((path.endsWith('.gz') ? await unzip(bytes) : bytes).toString('utf8'))
}

const opened = async <T>(path: string, file: string, read: (json: unknown) => T): Promise<T | undefined> => {
  if (!existsSync(path)) return undefined
  try {
    return read(await readJson(path))
  } catch (error) {
    throw new Fault('config.invalid', `${file}: ${toFault(error).message}`, { file }, { cause: error })
  }
}

/** Opens artefacts of a flows folder. */
export const learnedRoutes = (flowsDir: string): LearnedRoutes => ({
  router: (file) =>
    opened(join(flowsDir, file), file, (json) => {
      const model = loadRouterModel(json)
      return (text) => routerScore(model, promptFeatures(text))
    }),
  judge: (file) =>
    opened(join(flowsDir, file), file, (json): AnswerJudge => {
      const judge = loadJudge(json)
      const tuned = Tuned.safeParse(json)
      const threshold = tuned.success ? { threshold: tuned.data.about.threshold } : {}
      return ({ text: question, value }) => {
        const answer = typeof value === 'string' ? value : JSON.stringify(value)
        return { probability: judgeAnswer(judge, { question, answer }).probability, ...threshold }
      }
    }),
})
