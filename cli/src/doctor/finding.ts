/** One line of `baton doctor`: what was looked at, what was found, and what to do about it. */
export type Finding = {
  readonly check: string
  readonly level: 'pass' | 'warn' | 'fail'
  readonly message: string
  /** What helps; absent where nothing has to be done. */
  readonly help?: string
}

type Words = { readonly check: string; readonly message: string }
type Advice = Words & { readonly help: string }

/** All is well. */
export const pass = (words: Words): Finding => ({ level: 'pass', ...words })
/** It works, with less than one may expect. */
export const warn = (advice: Advice): Finding => ({ level: 'warn', ...advice })
/** It does not work, or a promise does not hold. */
export const fail = (advice: Advice): Finding => ({ level: 'fail', ...advice })

/** A check that throws is a finding as well: what it threw. */
export const finding = async (check: string, help: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> => {
  try {
    return await look()
  } catch (error) {
    return [fail({ check, message: error instanceof Error ? error.message : String(error), help })]
  }
}
