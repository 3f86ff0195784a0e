// What a run of a plan comes to, said a second time: recursive and straightforward, with nothing of the engine but the expressions.
//   It is told what happened to the run, in order: answers that were taken, times that were over, events, pauses. What it asks for and
//   what it comes to is its own. Limits of the run are not in it: the ledger knows those.
import { Fault, toFault, type FaultCode } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { MessageOf } from '@baton/contracts'
import type { Outcome, PlanNode, Rule, ValueExpr } from '@baton/flow/plan'
import type { Program, Scope } from '@baton/flow/program'
import type { Answer, Question } from './answers.ts'
import { Agents } from './reference-agents.ts'
import { joined, listed, parallelState, voteState } from './reference-groups.ts'

export type Entry = { readonly output: Json; readonly by: string }
export const NOTHING: Entry = { output: null, by: 'nobody' }

/** A step did not come to an output. `infra`: not an answer of the world. */
export class Failed extends Error {
  readonly code: FaultCode
  constructor(code: FaultCode, message: string = code) {
    super(message)
    this.code = code
  }
}
class Ended extends Error {}

/** What expressions see, and what can be stopped with it. */
export type Env = {
  readonly vars: JsonObject
  readonly it?: Json
  readonly fault?: Failed
  readonly scope: { stopped: boolean }
  readonly owner: { readonly path: string; readonly prefix: string; readonly nodeId: string } | null
}
type Direction = 'next' | 'end' | { readonly step: string }
type Went = { readonly entry: Entry; readonly to: Direction }
type Nested = {
  readonly use: 'case' | 'gate' | 'error' | 'failover' | 'round' | 'judge' | 'agent' | 'own'
  readonly fault?: Failed
  readonly number?: number
  readonly answer?: Entry
  readonly agent?: string
}
export type Place = { readonly node: PlanNode; readonly path: string; readonly env: Env }
/** How often each rule of a visit asked again. */
type Visit = { readonly asks: Map<string, number> }

export type Asked = {
  readonly path: string
  readonly call: number
  readonly question: Question | null
  readonly take: (answer: Entry | Failed, turn?: Turned) => void
}
type Turned = NonNullable<MessageOf<'step.completed'>['turn']>
export type Outcome2 = {
  readonly status: 'completed' | 'failed'
  readonly output?: Json
  readonly code?: FaultCode
  readonly degraded: readonly string[]
}

type Options = {
  readonly program: Program
  readonly request: MessageOf<'run.requested'>
  readonly seed: number
  readonly place: string
}

export class Reference {
  readonly #options: Options
  readonly #calls = new Map<string, number>()
  readonly #asked = new Set<string>()
  readonly #open = new Map<string, Asked>()
  readonly #waits: {
    readonly path: string
    readonly place: Place
    readonly untilMs: number
    readonly take: (entry: Entry | Failed) => void
  }[] = []
  readonly #kept: MessageOf<'run.event'>[] = []
  readonly #seen = new Set<string>()
  readonly #degraded = new Set<string>()
  readonly #undos: { readonly node: PlanNode; readonly path: string; readonly it: Json; readonly vars: JsonObject }[] = []
  readonly #steps: Record<string, Json> = {}
  readonly #scope = { stopped: false }
  readonly agents: Agents
  #resume: (() => void)[] | null = null
  #undoing = false
  #nowMs = 0
  result: Outcome2 | null = null

  constructor(options: Options) {
    this.#options = options
    this.agents = new Agents(this)
  }

  get program(): Program {
    return this.#options.program
  }
  /** Everything asked for so far: `path#number`. */
  get asked(): readonly string[] {
    return [...this.#asked].sort()
  }

  begin(nowMs: number): void {
    this.#nowMs = nowMs
    void this.#run()
  }

  /** The answer to what is asked for at a path was taken. */
  answer(path: string, answer: Answer | null, other?: Entry | Failed): boolean {
    const open = this.#open.get(path)
    if (open === undefined) return false
    this.#open.delete(path)
    if (other !== undefined) open.take(other)
    else if (answer === null) return false
    else if (answer.is === 'fault') open.take(new Failed(answer.code))
    else open.take({ output: answer.output, by: answer.by }, answer.turn)
    return true
  }
  question(path: string): Question | null | undefined {
    return this.#open.get(path)?.question
  }
  get open(): readonly string[] {
    return [...this.#open.keys()]
  }

  time(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
  }
  /** The run was woken. */
  wake(): void {
    for (const wait of this.#waits.filter(({ untilMs }) => untilMs <= this.#nowMs)) {
      this.#waits.splice(this.#waits.indexOf(wait), 1)
      wait.take(wait.place.node.kind === 'wait' ? NOTHING : new Failed('step.timed_out'))
    }
  }
  event(event: MessageOf<'run.event'>): void {
    if (this.#seen.has(event.eventId)) return
    this.#seen.add(event.eventId)
    const at = this.#waits.findIndex(({ place }) => this.#isFor(place, event))
    const [wait] = at < 0 ? [] : this.#waits.splice(at, 1)
    if (wait === undefined) this.#kept.push(event)
    else wait.take({ output: event.data, by: `event:${event.by ?? event.event}` })
  }
  get paused(): boolean {
    return this.#resume !== null
  }
  pause(): void {
    this.#resume ??= []
  }
  resume(): void {
    const waiting = this.#resume ?? []
    this.#resume = null
    for (const go of waiting) go()
  }

  // The run

  async #run(): Promise<void> {
    const { plan } = this.program
    const { reuse } = this.#options.request
    const env: Env = { vars: this.#steps, scope: this.#scope, owner: null }
    try {
      try {
        const last = await this.#block(plan.entry, env, { vars: this.#steps, ...(reuse === undefined ? {} : { reuse }) })
        this.#complete(last)
      } catch (error) {
        if (error instanceof Ended) this.#complete(NOTHING)
        else throw error
      }
    } catch (error) {
      if (error instanceof Ended) return
      await this.#fail(failedBy(error))
    }
  }

  /** The end of the run with its output. */
  #complete(last: Entry): void {
    const { plan } = this.program
    const output = plan.output === undefined ? last.output : this.value(plan.output, { vars: this.#steps, scope: this.#scope, owner: null })
    this.result = { status: 'completed', output, degraded: [...this.#degraded].sort() }
    this.#stop()
  }

  #stop(): void {
    this.#scope.stopped = true
    this.#open.clear()
    this.#waits.length = 0
  }

  async #fail(fault: Failed): Promise<void> {
    this.#open.clear()
    this.#waits.length = 0
    this.#scope.stopped = true
    const { onError } = this.program.plan
    const env: Env = { vars: this.#steps, fault, scope: { stopped: false }, owner: null }
    try {
      if (onError?.then === 'run') {
        const last = await this.#block(onError.block, env)
        if ((onError.after ?? 'fail') !== 'fail') {
          this.#degraded.add(fault.code)
          this.#complete(last)
          return
        }
      } else if (!fault.code.startsWith('limit.') && (onError?.then === 'next' || onError?.then === 'end')) {
        this.#degraded.add(fault.code)
        this.#complete(NOTHING)
        return
      }
    } catch (error) {
      if (error instanceof Ended) {
        this.#complete(NOTHING)
        return
      }
    }
    await this.#undo(fault)
  }

  async #undo(fault: Failed): Promise<void> {
    this.#undoing = true
    for (const undo of this.#undos.reverse()) {
      const path = `undo/${undo.path}`
      const owner = { path, prefix: `${undo.node.id}/undo`, nodeId: undo.node.id }
      try {
        await this.#block(undo.node.undo?.block ?? -1, { vars: undo.vars, it: undo.it, fault, scope: { stopped: false }, owner })
      } catch (error) {
        this.#degraded.add(failedBy(error).code)
      }
    }
    this.result = { status: 'failed', code: fault.code, degraded: [...this.#degraded].sort() }
  }

  // Blocks and steps

  /** Runs the steps of a block; what it comes to is the last output. */
  async #block(
    block: number,
    around: Env,
    { vars = { ...around.vars }, reuse }: { vars?: Record<string, Json>; reuse?: MessageOf<'run.requested'>['reuse'] } = {},
  ): Promise<Entry> {
    const { blocks, nodes } = this.program.plan
    const all = (blocks[block] ?? []).flatMap((id) => nodes[id] ?? [])
    for (const { name } of all) if (name !== null) vars[name] = null
    let last = NOTHING
    let at = 0
    if (reuse !== undefined) {
      at = all.findIndex(({ id, name }) => id === reuse.from || name === reuse.from)
      if (at < 0) throw new Failed('flow.invalid')
      for (const { name } of all.slice(0, at)) {
        const known = name === null ? undefined : reuse.steps[name]
        if (name === null || known === undefined) continue
        last = { output: known.output, by: known.by }
        vars[name] = seen(last)
      }
    }
    const env = { ...around, vars }
    while (at < all.length) {
      const node = all[at]
      if (node === undefined) break
      await this.#free(env)
      const { entry, to } = await this.step({ node, env, path: pathOf(env.owner, node.id) })
      if (node.name !== null) vars[node.name] = seen(entry)
      last = entry
      at += 1
      if (to === 'end') throw new Ended()
      if (typeof to === 'object') at = all.findIndex(({ id, name }) => id === to.step || name === to.step)
    }
    await this.#free(env)
    return last
  }

  /** While the run is paused nothing is entered or left; what was stopped never goes on. */
  async #free({ scope }: Env): Promise<void> {
    while (this.#resume !== null && !this.#undoing) await new Promise<void>((go) => this.#resume?.push(go))
    if (scope.stopped || this.result !== null) await new Promise(() => undefined)
  }

  /** One visit of a step: until it has an output or its fault goes up. */
  async step(place: Place): Promise<Went> {
    const { node, env } = place
    try {
      const skipped = await this.#skips(place)
      if (skipped !== undefined) return skipped
      return await this.#ask(place, { asks: new Map() })
    } catch (error) {
      throw error instanceof Handled ? error.last : error
    }
  }

  async #skips(place: Place): Promise<Went | undefined> {
    const { node, env } = place
    try {
      return node.when === undefined || this.test(node.when, env) ? undefined : { entry: NOTHING, to: 'next' }
    } catch (error) {
      return this.#failed(place, { asks: new Map() }, { use: 'own' }, failedBy(error))
    }
  }

  async #ask(place: Place, visit: Visit): Promise<Went> {
    await this.#free(place.env)
    let own: Nested = { use: 'own' }
    try {
      const { node } = place
      if (node.kind === 'switch') return await this.#choose(place, visit, { rules: node.rules, use: 'case', it: NOTHING })
      if (node.kind === 'set') return await this.#settle(place, visit, own, { output: this.value(node.value, place.env), by: 'set' })
      const agent = { use: 'agent' as const, note: (said: { agent: string; answer?: Entry }) => void (own = { use: 'agent', ...said }) }
      const came = await this.#body(place, agent.note)
      if ('go' in came) return await came.go(visit)
      return await this.#settle(place, visit, own, came)
    } catch (error) {
      if (error instanceof Handled) throw error.last
      return this.#failed(place, visit, own, failedBy(error))
    }
  }

  async #body(
    place: Place,
    note: (said: { agent: string; answer?: Entry }) => void,
  ): Promise<Entry | { go: (visit: Visit) => Promise<Went> }> {
    const { node, env } = place
    switch (node.kind) {
      case 'parallel':
        return this.#parallel(place, node)
      case 'map':
        return this.#map(place, node)
      case 'vote':
        return this.#vote(place, node)
      case 'loop':
        return { go: (visit) => this.#loop(place, visit, node) }
      case 'wait':
        return this.#wait(place, this.#nowMs + node.forMs)
      case 'event':
        return this.#wait(place, node.timeoutMs === undefined ? Infinity : this.#nowMs + node.timeoutMs)
      case 'emit':
        this.value(node.with, env)
        if (node.key !== undefined) this.value(node.key, env)
        return { output: { id: 'an event' }, by: 'emit' }
      case 'flow':
        return (await this.ask(place, null)).entry
      case 'agent': {
        const task = this.value(node.with, env)
        return this.agents.work(place, { task, note, ...(node.limits?.turns === undefined ? {} : { turns: node.limits.turns }) })
      }
      case 'team':
        return this.agents.team(place, node)
      case 'switch':
      case 'set':
        throw new Error('done already')
      default:
        return (await this.ask(place, { kind: node.kind, input: this.value(node.with, env) })).entry
    }
  }

  /** Asks the world; `null` where the answer comes from another run. */
  async ask(
    { node, path, env }: Place,
    what: Pick<Question, 'kind' | 'input' | 'turn' | 'tool'> | null,
  ): Promise<{ entry: Entry; turn: Turned | undefined }> {
    if (what === null && node.kind === 'flow') this.value(node.with, env)
    await this.#free(env)
    const call = (this.#calls.get(path) ?? 0) + 1
    this.#calls.set(path, call)
    this.#asked.add(`${path}#${call}`)
    const { seed, place } = this.#options
    const question = what === null ? null : { seed, place: `${place}>${path}`, call, nodeId: node.id, ...what }
    return new Promise((resolve, reject) => {
      const take = (answer: Entry | Failed, turn?: Turned): void => {
        if (env.scope.stopped) return
        if (answer instanceof Failed) reject(answer)
        else resolve({ entry: answer, turn })
      }
      this.#open.set(path, { path, call, question, take })
    })
  }

  async #wait(place: Place, untilMs: number): Promise<Entry> {
    const kept = this.#kept.findIndex((event) => this.#isFor(place, event))
    const [event] = kept < 0 ? [] : this.#kept.splice(kept, 1)
    if (event !== undefined) return { output: event.data, by: `event:${event.by ?? event.event}` }
    return new Promise((resolve, reject) => {
      const take = (entry: Entry | Failed): void => (entry instanceof Failed ? reject(entry) : resolve(entry))
      this.#waits.push({ path: place.path, place, untilMs, take })
    })
  }

  #isFor({ node, env }: Place, { event, data }: MessageOf<'run.event'>): boolean {
    if (node.kind !== 'event' || node.event !== event || env.scope.stopped) return false
    try {
      return node.match === undefined || this.test(node.match, { ...env, vars: { ...env.vars, event: data } })
    } catch {
      return false
    }
  }

  // What happens with an output

  async #settle(place: Place, visit: Visit, nested: Nested, entry: Entry): Promise<Went> {
    const { node } = place
    this.#remember(place, entry)
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

  #remember({ node, path, env }: Place, { output }: Entry): void {
    if (node.undo === undefined || this.#undoing) return
    const sees = node.undo.sees.flatMap((name): [string, Json][] => {
      const value = name === node.name ? output : env.vars[name]
      return value === undefined ? [] : [[name, value]]
    })
    this.#undos.push({ node, path, it: output, vars: Object.fromEntries(sees) })
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
      if (when === undefined || this.test(when, scope)) return this.#follow(place, visit, { outcome, entry: it, use, rule })
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
      came = await this.#block(block, {
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
    if ((nested.use === 'error' || nested.use === 'failover') && nested.fault !== undefined) this.#degraded.add(nested.fault.code)
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
    const fallback = this.program.plan.agents?.[agent]?.fallback
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
        this.#degraded.add(fault.code)
        return { entry: NOTHING, to: outcome.then === 'step' ? { step: outcome.step } : outcome.then }
    }
  }

  // Steps made of others

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
            this.#forget(place.path)
            resolve(entry)
            return
          }
        } catch (error) {
          scope.stopped = true
          this.#forget(place.path)
          reject(error as Error)
          return
        }
        if (number !== null && number + 1 < total && (number + 1) % chunk !== 0) begin(number + 1)
        else for (; open < room && next < total; next += chunk) begin(next)
      }
      look(null)
    })
  }

  /** What parts that are not waited for any more have asked for. */
  #forget(path: string): void {
    const below = (other: string): boolean => other.startsWith(`${path}/`) || other.startsWith(`${path}[`)
    for (const open of [...this.#open.keys()]) if (below(open)) this.#open.delete(open)
    for (const wait of this.#waits.filter((one) => below(one.path))) this.#waits.splice(this.#waits.indexOf(wait), 1)
  }

  #parallel(place: Place, node: PlanNode & { readonly kind: 'parallel' }): Promise<Entry> {
    const owner = { path: place.path, prefix: node.id, nodeId: node.id }
    return this.#parts(place, {
      total: node.branches.length,
      room: Infinity,
      chunk: 1,
      part: (number, scope) => this.#block(node.branches[number]?.block ?? -1, { ...place.env, scope, owner }),
      judge: (outputs) => (parallelState(node, outputs) ? { output: joined(node, outputs), by: 'parallel' } : 'wait'),
    })
  }

  #map(place: Place, node: PlanNode & { readonly kind: 'map' }): Promise<Entry> {
    const items = this.value({ cel: node.over }, place.env)
    if (!Array.isArray(items)) throw new Failed('expression.failed')
    if (items.length > node.max) throw new Failed('limit.items_exceeded')
    return this.#parts(place, {
      total: items.length,
      room: node.concurrency,
      chunk: node.chunk,
      part: (number, scope) =>
        this.#block(node.each, {
          ...place.env,
          vars: { ...place.env.vars, [node.as]: items[number], index: number },
          scope,
          owner: { path: `${place.path}[${number}]`, prefix: `${node.id}/each`, nodeId: node.id },
        }),
      judge: (outputs) => listed(node, outputs),
    })
  }

  async #vote(place: Place, node: PlanNode & { readonly kind: 'vote' }): Promise<Entry | { go: (visit: Visit) => Promise<Went> }> {
    const owner = { path: place.path, prefix: node.id, nodeId: node.id }
    const said = (entry: Entry): string =>
      canonicalJson(node.on === undefined ? entry.output : this.value({ cel: node.on }, { ...place.env, it: entry.output }))
    let ballots: Json = []
    let won = true
    const entry = await this.#parts(place, {
      total: node.voters.length,
      room: Infinity,
      chunk: 1,
      part: (number, scope) => this.#block(node.voters[number]?.block ?? -1, { ...place.env, scope, owner }),
      judge: (outputs) => {
        const state = voteState(node, outputs, said)
        if (state === 'wait') return 'wait'
        ballots = outputs.flatMap((one) => (one === null || one instanceof Failed ? [] : [one.output]))
        won = state !== 'judge' && state !== 'tie'
        return won ? (state as Entry) : NOTHING
      },
    })
    if (won) return entry
    const cast: Entry = { output: ballots, by: 'vote' }
    const { judge, tie } = node
    if (node.rule === 'judge') {
      if (judge === undefined) throw new Failed('vote.undecided')
      return { go: async (visit) => this.#nestedFor(place, visit, judge, cast.output) }
    }
    if (tie === undefined || tie.then === 'fail') throw new Failed('vote.undecided')
    return { go: (visit) => this.#follow(place, visit, { outcome: tie, entry: cast, use: 'case', rule: 'tie' }) }
  }

  /** The judge of a vote, whose output is that of the step. */
  async #nestedFor(place: Place, visit: Visit, block: number, it: Json): Promise<Went> {
    const { env, path, node } = place
    const nested: Nested = { use: 'judge' }
    let came: Entry
    try {
      came = await this.#block(block, { ...env, it, owner: { path, prefix: node.id, nodeId: node.id } })
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    return this.#settle(place, visit, nested, came)
  }

  async #loop(place: Place, visit: Visit, node: PlanNode & { readonly kind: 'loop' }): Promise<Went> {
    const { env, path } = place
    const nested: Nested = { use: 'round' }
    let it = NOTHING
    try {
      for (let number = 0; ; number += 1) {
        const owner = { path: `${path}[${number}]`, prefix: `${node.id}/do`, nodeId: node.id }
        it = await this.#block(node.body, { ...env, it: it.output, vars: { ...env.vars, index: number }, owner })
        const good = node.until !== undefined && this.test(node.until, { ...env, it: it.output, vars: { ...env.vars, index: number } })
        if (good) break
        if (number + 1 < node.max) continue
        if (node.until !== undefined && node.onLimit !== undefined) throw new Failed('limit.rounds_exceeded')
        break
      }
    } catch (error) {
      return this.#caught(place, visit, nested, error)
    }
    return this.#settle(place, visit, nested, it)
  }

  // Expressions

  #see({ vars, it, fault }: Env): Scope {
    const { request } = this.#options
    return {
      input: request.input,
      params: request.params,
      run: { id: request.runId },
      steps: vars,
      ...(it === undefined ? {} : { it }),
      ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
    }
  }
  test(condition: string, env: Env): boolean {
    return this.program.test(condition, this.#see(env))
  }
  value(value: ValueExpr, env: Env): Json {
    return this.program.value(value, this.#see(env))
  }
  /** A block of a member of a team, or what stands in for an agent. */
  blockOf(block: number, env: Env): Promise<Entry> {
    return this.#block(block, env)
  }
  degrade(code: FaultCode): void {
    this.#degraded.add(code)
  }
}

/** A fault that the step's own ways of handling it have let go. */
class Handled extends Error {
  /** What goes up. */
  readonly last: unknown
  constructor(last: unknown) {
    super('handled')
    this.last = last instanceof Handled ? last.last : last
  }
}
const handled = async (went: Promise<Went>): Promise<Went> => {
  try {
    return await went
  } catch (error) {
    throw new Handled(error)
  }
}

export const failedBy = (error: unknown): Failed => {
  if (error instanceof Handled) return failedBy(error.last)
  if (error instanceof Ended) throw error
  if (error instanceof Failed) return error
  if (error instanceof Fault) return new Failed(error.code, error.message)
  return new Failed(toFault(error).data.code)
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  'model.timed_out',
  'tool.timed_out',
  'step.timed_out',
  'step.expired',
  'step.lease_lost',
  'review.expired',
])
const handlerOf = ({ onError, onTimeout, onLimit }: PlanNode, { code }: Failed): Outcome | undefined => {
  if (TIMEOUTS.has(code)) return onTimeout ?? onError
  return code.startsWith('limit.') ? (onLimit ?? onError) : onError
}

/** A scope stops with the one around it. */
const scopeBelow = (own: Env['scope'], around: Env['scope']): Env['scope'] => ({
  get stopped() {
    return own.stopped || around.stopped
  },
  set stopped(stopped: boolean) {
    own.stopped = stopped
  },
})

/** An output as expressions see it. */
const seen = ({ output, by }: Entry): Json => (isJsonObject(output) ? { ...output, by } : output)

/** The static path of a node, put behind the path of what it runs in. */
const pathOf = (owner: Env['owner'], id: string): string => {
  if (owner === null) return id
  const { path, prefix } = owner
  if (id === prefix) return path
  return id.startsWith(`${prefix}/`) ? path + id.slice(prefix.length) : `${path}/${id}`
}
