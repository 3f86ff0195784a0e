import { toFault } from '@baton/contracts'
import { loadProgram, type Program } from '@baton/flow'
import type { PlanCache } from '@baton/service'

export type ProgramCache = {
  get(hash: string): Program | undefined
  /** Makes the programs of these plans ready; returns the hashes of plans that are nowhere. Their rows are committed before any run names them (L2). */
  load(hashes: readonly string[]): Promise<readonly string[]>
}

/** Compiled programs by plan hash; the longest unused is dropped beyond `programsMax`. */
export const createProgramCache = ({ plans, programsMax = 500 }: { plans: PlanCache; programsMax?: number }): ProgramCache => {
  const programs = new Map<string, Program>()
  const keep = (hash: string, program: Program): void => {
    programs.set(hash, program)
    const oldest = programs.size > programsMax ? programs.keys().next().value : undefined
    if (oldest !== undefined) programs.delete(oldest)
  }
  /** The hash when there is no such plan. */
  const loadOne = async (hash: string): Promise<readonly string[]> => {
    try {
      keep(hash, loadProgram(await plans.plan(hash)))
      return []
    } catch (error) {
      if (toFault(error).code === 'flow.unknown') return [hash]
      throw error
    }
  }
  return {
    get: (hash) => programs.get(hash),
    load: async (hashes) => (await Promise.all(hashes.filter((hash) => !programs.has(hash)).map(loadOne))).flat(),
  }
}
