/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// One visit of a step, for the reference: asked, asked again, handled, until it has an output or its fault goes up.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Outcome, PlanNode, Rule } from '@baton/flow/plan'
import { Agents } from './reference-agents.ts'
import type { Question } from './answers.ts'
import { Parts, type Later } from './reference-parts.ts'
import {
  Failed,
  failedBy,
  Handled,
  handled,
  handlerOf,
  NOTHING,
  scopeBelow,
  seen,
  type Entry,
  type Nested,
  type Place,
  type Runner,
  type Visit,
  type Went,
} from './reference-terms.ts'

/** An output, and whether a person gave it in place of the work. */
type Given = Entry & { readonly final?: true }

const WHOLE: ReadonlySet<string> = new Set(['parallel', 'map', 'loop', 'flow'])
const looksAt = ({ guard = [] }: PlanNode, side: 'input' | 'output'): boolean =>
  guard.some(({ options: { on = 'both' } }) => on === 'both' || on === side)

export class Visits {
  readonly #run: Runner
  readonly #agents: Agents
  readonly #parts: Parts

  constructor(run: Runner) {
    this.#run = run
    this.#agents = new Agents(run)
    this.#parts = new Parts(run)
  }

  /** One visit of a step: until it has an output or its fault goes up. */
  async step(place: Place): Promise<Went> {
    try {
      const skipped = await this.#skips(place)
      if (skipped !== undefined) return skipped
      return await this.#ask(place, { asks: new Map(), asides: 0 })
    } catch (error) {
      throw error instanceof Handled ? error.last : error
    }
  }

  async #skips(place: Place): Promise<Went | undefined> {
    const { node, env } = place
    try {
      return node.when === undefined || this.#run.test(node.when, env) ? undefined : { entry: NOTHING, to: 'next' }
    } catch (error) {
      return this.#failed(place, { asks: new Map(), asides: 0 }, { use: 'own' }, failedBy(error))
    }
  }

  async #ask(place: Place, visit: Visit): Promise<Went> {
    await this.#run.free(place.env)
    let own: Nested = { use: 'own' }
    try {
      const { node } = place
      if (node.kind === 'switch') return await this.#choose(place, visit, { rules: node.rules, use: 'case', it: NOTHING })
      if (node.kind === 'set') return await this.#settle(place, visit, own, { output: this.#run.value(node.value, place.env), by: 'set' })
      await this.#clear(place, visit)
      const agent = { use: 'agent' as const, note: (said: { agent: string; answer?: Entry }) => void (own = { use: 'agent', ...said }) }
      const came = await this.#timed(place, (timed) => this.#body(timed, visit, agent.note))
      if ('go' in came) return await came.go(visit)
      return await this.#settle(place, visit, own, came)
    } catch (error) {
      if (error instanceof Handled) throw error.last
      return this.#failed(place, visit, own, failedBy(error))
    }
  }

  /** Guards of the input say first. */
  async #clear(place: Place, visit: Visit): Promise<void> {
    const { node, env } = place
    if (visit.cleared !== undefined || !looksAt(node, 'input')) return
    const content = this.#run.value(node.with, env)
    const { entry, changed } = await this.#look(place, visit, 'input', { output: content, by: '' })
    visit.cleared = changed ? { input: entry.output } : {}
  }

  /** What guards, or a person in their place, let pass of a content. */
  async #look(place: Place, visit: Visit, guard: 'input' | 'output', content: Entry): Promise<{ entry: Entry; changed: boolean }> {
    visit.asides += 1
    const came = await this.#run.ask(place, { kind: 'check', input: content.output, guard }, visit)
    if (came.final === true) return { entry: came.entry, changed: true }
    const { action, value } = isJsonObject(came.entry.output) ? came.entry.output : {}
    if (action === 'redact' && value !== undefined) return { entry: { output: value, by: content.by }, changed: true }
    if (action !== 'pass' && action !== 'flag') throw new Failed('guard.blocked')
    return { entry: content, changed: false }
  }

  /** A step made of others has to end in its time. */
  #timed<T>(place: Place, work: (place: Place) => Promise<T>): Promise<T> {
    const { node, env } = place
    if (node.timeoutMs === undefined || !WHOLE.has(node.kind)) return work(place)
    const scope = { stopped: false }
    const inner = { ...place, env: { ...env, scope: scopeBelow(scope, env.scope) } }
    return this.#run.within(inner, node.timeoutMs, scope, () => work(inner))
  }

  async #body(
    place: Place,
    visit: Visit,
    note: (said: { agent: string; answer?: Entry }) => void,
  ): Promise<Given | { go: (visit: Visit) => Promise<Went> }> {
    const { node, env } = place
    switch (node.kind) {
      case 'parallel':
        return this.#parts.parallel(place, node)
      case 'map':
        return this.#parts.map(place, node)
      case 'vote':
        return this.#voted(place, await this.#parts.vote(place, node))
      case 'loop':
        return { go: (visit) => this.#loop(place, visit, node) }
      case 'wait':
        return this.#run.wait(place)
      case 'event':
        return this.#run.wait(place)
      case 'emit':
        this.#run.value(node.with, env)
        if (node.key !== undefined) this.#run.value(node.key, env)
        return { output: { id: 'an event' }, by: 'emit' }
      case 'flow':
        return (await this.#run.ask(place, null)).entry
      case 'agent': {
        const task = this.#run.value(node.with, env)
        return this.#agents.work(place, { task, note, ...(node.limits?.turns === undefined ? {} : { turns: node.limits.turns }) })
      }
      case 'team':
        return this.#agents.team(place, node)
      case 'switch':
      case 'set':
        throw new Error('done already')
      default:
        return this.#worked(place, visit, node.kind)
    }
  }

  async #worked(place: Place, visit: Visit, kind: Question['kind']): Promise<Given> {
    const input = visit.cleared?.input ?? this.#run.value(place.node.with, place.env)
    const { entry, final } = await this.#run.ask(place, { kind, input }, visit)
    return final === true ? { ...entry, final } : entry
  }

  #voted(place: Place, came: Entry | Later): Entry | { go: (visit: Visit) => Promise<Went> } {
    if ('output' in came) return came
    const { ballots, judge, tie } = came
    if (judge !== undefined) return { go: (visit) => this.#judged(place, visit, judge, ballots) }
    const entry = { output: ballots, by: 'vote' }
    return { go: (visit) => this.#follow(place, visit, { outcome: tie ?? { then: 'fail' }, entry, use: 'case', rule: 'tie' }) }
  }

  async #settle(place: Place, visit: Visit, nested: Nested, { final, ...given }: Given): Promise<Went> {
    const { node } = place
    let entry: Entry = given
    this.#run.remember(place, entry)
    try {
      if (final !== true && entry.output !== null && looksAt(node, 'output'))
        entry = (await this.#look(place, visit, 'output', entry)).entry
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    if (node.gate === undefined) return { entry, to: 'next' }
    try {
      return await this.#choose(place, visit, { rules: node.gate, use: 'gate', it: entry })
    } catch (error) {
      if (error instanceof Handled) throw error
      return this.#caught(place, visit, nested, error)
    }
  }

  /** A fault is handled here; whatever comes out of that has been handled. */
  async #caught(place: Place, visit: Visit, nested: Nested, error: unknown): Promise<Went> {
    try {
      return await this.#failed(place, visit, nested, failedBy(error))
    } catch (cause) {
      throw new Handled(cause)
    }
  }

  async #choose(
    place: Place,
    visit: Visit,
    { rules, use, it }: { rules: readonly Rule[]; use: 'case' | 'gate'; it: Entry },
  ): Promise<Went> {
    const { env } = place
    const scope = use === 'gate' ? { ...env, it: it.output } : env
    for (const [index, { when, outcome }] of rules.entries()) {
      const rule = `gate[${index}]`
      if (outcome.then === 'retry' && (visit.asks.get(rule) ?? 0) >= outcome.attempts) continue
      if (when === undefined || this.#run.test(when, scope)) return this.#follow(place, visit, { outcome, entry: it, use, rule })
    }
    throw new Failed(use === 'gate' ? 'gate.unmatched' : 'switch.unmatched')
  }

  async #follow(
    place: Place,
    visit: Visit,
    { outcome, entry, use, rule }: { outcome: Outcome; entry: Entry; use: 'case' | 'gate'; rule: string },
  ): Promise<Went> {
    switch (outcome.then) {
      case 'run':
        return this.#nested(
          place,
          visit,
          { use },
          { block: outcome.block, after: outcome.after ?? 'next', ...(use === 'gate' || rule === 'tie' ? { it: entry.output } : {}) },
          entry,
        )
      case 'retry':
        visit.asks.set(rule, (visit.asks.get(rule) ?? 0) + 1)
        visit.asides = 0
        return handled(this.#ask(place, visit))
      case 'fail':
        throw new Failed('check.failed')
      case 'next':
        return use === 'case' ? this.#settle(place, visit, { use: 'own' }, rule === 'tie' ? NOTHING : entry) : { entry, to: 'next' }
      case 'end':
      case 'step':
        return { entry, to: outcome.then === 'end' ? 'end' : { step: outcome.step } }
    }
  }

  /** A block in place of the step. */
  async #nested(
    place: Place,
    visit: Visit,
    nested: Nested,
    { block, after, it }: { block: number; after: 'next' | 'end' | 'fail'; it?: Json },
    looked?: Entry,
  ): Promise<Went> {
    const { node, env, path } = place
    let came: Entry
    const vars =
      nested.use === 'gate' && looked !== undefined && node.name !== null ? { ...env.vars, [node.name]: seen(looked) } : { ...env.vars }
    const owner = { path, prefix: node.id, nodeId: node.id }
    try {
      came = await this.#run.block(block, {
        ...env,
        vars,
        owner,
        ...(it === undefined ? {} : { it }),
        ...(nested.fault === undefined ? {} : { fault: nested.fault }),
      })
      if (after === 'fail') throw nested.fault ?? new Failed('check.failed')
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    if ((nested.use === 'error' || nested.use === 'failover') && nested.fault !== undefined) this.#run.degrade(nested.fault.code)
    if (after === 'next' && (nested.use === 'failover' || nested.use === 'case')) return this.#settle(place, visit, nested, came)
    return { entry: came, to: after === 'end' ? 'end' : 'next' }
  }

  /** A step has failed: another way, its handler, or up. */
  async #failed(place: Place, visit: Visit, nested: Nested, cause: Failed): Promise<Went> {
    const { node } = place
    if (nested.use === 'error') throw nested.fault ?? cause
    if (nested.use === 'agent') {
      const went = await this.#standIn(place, visit, nested, cause)
      if (went !== undefined) return went
    }
    const fault = nested.use === 'failover' ? (nested.fault ?? cause) : cause
    const number = nested.use === 'failover' ? (nested.number ?? 0) + 1 : 0
    const other = nested.use === 'gate' || nested.use === 'case' ? undefined : node.failover?.[number]
    if (other !== undefined) return this.#nested(place, visit, { use: 'failover', fault, number }, { block: other, after: 'next' })
    const outcome = handlerOf(node, fault)
    if (outcome === undefined) throw fault
    return this.#handle(place, visit, outcome, fault)
  }

  async #standIn(place: Place, visit: Visit, { agent = '', answer }: Nested, fault: Failed): Promise<Went | undefined> {
    const fallback = this.#run.program.plan.agents?.[agent]?.fallback
    if (fallback === undefined || !(fault.code.startsWith('agent.') || fault.code.startsWith('limit.'))) return undefined
    if (fallback.then !== 'run') return this.#handle(place, visit, fallback, fault)
    const nested = { use: 'failover' as const, fault, number: -1 }
    return this.#nested(place, visit, nested, { block: fallback.block, after: fallback.after ?? 'next', it: answer?.output ?? null })
  }

  async #handle(place: Place, visit: Visit, outcome: Outcome, fault: Failed): Promise<Went> {
    switch (outcome.then) {
      case 'fail':
        throw fault
      case 'retry': {
        const before = visit.asks.get('onError') ?? 0
        if (before >= outcome.attempts) throw fault
        visit.asks.set('onError', before + 1)
        visit.asides = 0
        return this.#ask(place, visit)
      }
      case 'run':
        return this.#nested(
          place,
          visit,
          { use: 'error', fault },
          { block: outcome.block, after: outcome.after ?? (outcome === place.node.onError ? 'fail' : 'next') },
        )
      default:
        this.#run.degrade(fault.code)
        return { entry: NOTHING, to: outcome.then === 'step' ? { step: outcome.step } : outcome.then }
    }
  }

  /** The judge of a vote, whose output is that of the step. */
  async #judged(place: Place, visit: Visit, block: number, it: Json): Promise<Went> {
    const { env, path, node } = place
    const nested: Nested = { use: 'judge' }
    let came: Entry
    try {
      came = await this.#run.block(block, { ...env, it, owner: { path, prefix: node.id, nodeId: node.id } })
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    return this.#settle(place, visit, nested, came)
  }

  async #loop(place: Place, visit: Visit, node: PlanNode & { readonly kind: 'loop' }): Promise<Went> {
    const nested: Nested = { use: 'round' }
    let it: Entry
    try {
      it = await this.#timed(place, (timed) => this.#rounds(timed, node))
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    return this.#settle(place, visit, nested, it)
  }

  async #rounds({ env, path }: Place, node: PlanNode & { readonly kind: 'loop' }): Promise<Entry> {
    let it = NOTHING
    for (let number = 0; ; number += 1) {
      const owner = { path: `${path}[${number}]`, prefix: `${node.id}/do`, nodeId: node.id }
      it = await this.#run.block(node.body, { ...env, it: it.output, vars: { ...env.vars, index: number }, owner })
      const good = node.until !== undefined && this.#run.test(node.until, { ...env, it: it.output, vars: { ...env.vars, index: number } })
      if (good) return it
      if (number + 1 < node.max) continue
      if (node.until !== undefined && node.onLimit !== undefined) throw new Failed('limit.rounds_exceeded')
      return it
    }
  }
}
