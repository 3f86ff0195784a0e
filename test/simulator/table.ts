// What many histories met, as lines.
import type { Tally } from './promises.ts'

export type Totals = {
  seeds: number
  records: number
  runs: number
  published: number
  repeated: number
  takeovers: number
  readonly tally: Tally
  readonly failures: [seed: number, message: string][]
}

/** What is looked at after every record, or at the end of every history. */
export const PROMISES = [
  'R1 the same history gives the same outputs and ids, from memory, from its checkpoint, and replayed in one go',
  'R2 an attempt id is given once, and its answer counts and is billed once',
  'R3 what comes after its lease was lost is billed and changes nothing',
  'R4 what is open has a finite time to wake; every run ends',
  'R5 nothing is asked for beyond a limit',
  'R6 one result a run, one answer a run that a step started; nothing is asked for after it',
  'R7 people answer what people were asked',
  'R8 a record is refused only when it belongs to no run',
  'R9 what is stored was published before; the log gives what was published, no more and no less',
  'R10 states stay small',
  'L8 an effect key stands for one input',
  'L11 at most 256 outputs of one record',
  'Q1 a paused run asks for nothing',
  'U1 what was made is kept, or taken back when the run fails',
  'S2 a state in memory is the state that is stored',
  'REF status, output, degraded reasons and what was asked are those of the reference',
] as const

const sum = (all: readonly Totals[], of: (totals: Totals) => number): number => all.reduce((total, one) => total + of(one), 0)

export const tableOf = (all: readonly Totals[], tookMs: number): readonly string[] => {
  const tally: Tally = new Map()
  for (const one of all) for (const [what, often] of one.tally) tally.set(what, (tally.get(what) ?? 0) + often)
  const under = (word: string): string =>
    [...tally]
      .filter(([what]) => what.startsWith(`${word} `))
      .sort(([, a], [, b]) => b - a)
      .map(([what, often]) => `${what.slice(word.length + 1)} ${often}`)
      .join(', ')
  return [
    `seeds       ${sum(all, ({ seeds }) => seeds)} in ${(tookMs / 1_000).toFixed(1)} s`,
    `records     ${sum(all, ({ records }) => records)} applied, ${sum(all, ({ published }) => published)} events published`,
    `runs        ${sum(all, ({ runs }) => runs)} asked for, ${tally.get('child') ?? 0} started by steps, ${tally.get('again') ?? 0} run again`,
    `kinds       ${under('kind')}`,
    `takeovers   ${sum(all, ({ takeovers }) => takeovers)} (crashes and lost leases)`,
    `duplicates  ${sum(all, ({ repeated }) => repeated)} events published again; answers ignored: ${under('ignored')}`,
    `control     ${under('controlled')}; events: ${under('event')}`,
    `faults      ${under('failed')}`,
    `results     ${under('result')}`,
    `reference   ${under('reference')}`,
    ...PROMISES.map((promise) => `checked     ${promise}`),
    `failures    ${sum(all, ({ failures }) => failures.length)}`,
  ]
}
