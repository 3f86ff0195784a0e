// Parts side by side, for the reference: branches, the items of a list, voters.
import { canonicalJson, type Json } from '@baton/contracts/json'
import type { Outcome, PlanNode } from '@baton/flow/plan'
import { joined, listed, parallelState, voteState } from './reference-groups.ts'
import { Ended, Failed, failedBy, NOTHING, scopeBelow, type Entry, type Env, type Place, type Runner } from './reference-terms.ts'

/** A vote that is not decided by counting. */
export type Later = { readonly ballots: Json; readonly judge?: number; readonly tie?: Outcome }

export class Parts {
  readonly #run: Runner

  constructor(run: Runner) {
    this.#run = run
  }

  /** Parts side by side, until `judge` has what it wants. */
  #parts(
    place: Place,
    {
      total,
      room,
      chunk,
      part,
      judge,
    }: {
      total: number
      room: number
      chunk: number
      part: (number: number, scope: Env['scope']) => Promise<Entry>
      judge: (outputs: readonly (Entry | Failed | null)[]) => Entry | 'wait'
    },
  ): Promise<Entry> {
    const scope = { stopped: false }
    const outputs: (Entry | Failed | null)[] = Array.from<null>({ length: total }).fill(null)
    return new Promise((resolve, reject) => {
      let next = 0
      let open = 0
      const begin = (number: number): void => {
        open += 1
        part(number, scopeBelow(scope, place.env.scope)).then(
          (entry) => end(number, entry),
          (error: unknown) => (error instanceof Ended ? reject(error) : end(number, failedBy(error))),
        )
      }
      const end = (number: number, came: Entry | Failed): void => {
        if (scope.stopped || place.env.scope.stopped) return
        open -= 1
        outputs[number] = came
        look(number)
      }
      const look = (number: number | null): void => {
        try {
          const entry = judge(outputs)
          if (entry !== 'wait') {
            scope.stopped = true
            this.#run.forget(place.path)
            resolve(entry)
            return
          }
        } catch (error) {
          scope.stopped = true
          this.#run.forget(place.path)
          reject(error as Error)
          return
        }
        if (number !== null && number + 1 < total && (number + 1) % chunk !== 0) begin(number + 1)
        else for (; open < room && next < total; next += chunk) begin(next)
      }
      look(null)
    })
  }

  parallel(place: Place, node: PlanNode & { readonly kind: 'parallel' }): Promise<Entry> {
    const owner = { path: place.path, prefix: node.id, nodeId: node.id }
    return this.#parts(place, {
      total: node.branches.length,
      room: Infinity,
      chunk: 1,
      part: (number, scope) => this.#run.block(node.branches[number]?.block ?? -1, { ...place.env, scope, owner }),
      judge: (outputs) => (parallelState(node, outputs) ? { output: joined(node, outputs), by: 'parallel' } : 'wait'),
    })
  }

  map(place: Place, node: PlanNode & { readonly kind: 'map' }): Promise<Entry> {
    const items = this.#run.value({ cel: node.over }, place.env)
    if (!Array.isArray(items)) throw new Failed('expression.failed')
    if (items.length > node.max) throw new Failed('limit.items_exceeded')
    return this.#parts(place, {
      total: items.length,
      room: node.concurrency,
      chunk: node.chunk,
      part: (number, scope) =>
        this.#run.block(node.each, {
          ...place.env,
          vars: { ...place.env.vars, [node.as]: items[number], index: number },
          scope,
          owner: { path: `${place.path}[${number}]`, prefix: `${node.id}/each`, nodeId: node.id },
        }),
      judge: (outputs) => listed(node, outputs),
    })
  }

  async vote(place: Place, node: PlanNode & { readonly kind: 'vote' }): Promise<Entry | Later> {
    const owner = { path: place.path, prefix: node.id, nodeId: node.id }
    const said = (entry: Entry): string =>
      canonicalJson(node.on === undefined ? entry.output : this.#run.value({ cel: node.on }, { ...place.env, it: entry.output }))
    let ballots: Json = []
    let won = true
    const entry = await this.#parts(place, {
      total: node.voters.length,
      room: Infinity,
      chunk: 1,
      part: (number, scope) => this.#run.block(node.voters[number]?.block ?? -1, { ...place.env, scope, owner }),
      judge: (outputs) => {
        const state = voteState(node, outputs, said)
        if (state === 'wait') return 'wait'
        ballots = outputs.flatMap((one) => (one === null || one instanceof Failed ? [] : [one.output]))
        won = state !== 'judge' && state !== 'tie'
        return won ? (state as Entry) : NOTHING
      },
    })
    if (won) return entry
    const { judge, tie, rule } = node
    if (rule === 'judge' && judge !== undefined) return { ballots, judge }
    if (rule === 'judge' || tie === undefined || tie.then === 'fail') throw new Failed('vote.undecided')
    return { ballots, tie }
  }
}
