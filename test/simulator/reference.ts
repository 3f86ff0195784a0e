// What a run of a plan comes to, said a second time: recursive and straightforward, with nothing of the engine but the expressions.
//   It is told what happened to the run, in order: answers that were taken, times that were over, events, pauses. What it asks for and
//   what it comes to is its own. Limits of the run are not in it: the ledger knows those.
import type { FaultCode } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import type { MessageOf } from '@baton/contracts'
import type { PlanNode, ValueExpr } from '@baton/flow/plan'
import type { Program, Scope } from '@baton/flow/program'
import type { Answer, Question } from './answers.ts'
import {
  Ended,
  Failed,
  failedBy,
  NOTHING,
  pathOf,
  seen,
  type Asked,
  type Asks,
  type Came,
  type End,
  type Entry,
  type Env,
  type Place,
  type Runner,
  type Turned,
  type Visit,
  type Went,
  type Work,
} from './reference-terms.ts'
import { Shared } from './reference-shared.ts'
import { Visits } from './reference-visits.ts'

type Options = {
  readonly program: Program
  readonly request: MessageOf<'run.requested'>
  readonly seed: number
  readonly place: string
}

export class Reference implements Runner {
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
  readonly #times: { readonly path: string; readonly untilMs: number; readonly over: () => void }[] = []
  readonly #shared = new Shared()
  readonly #kept: MessageOf<'run.event'>[] = []
  readonly #seen = new Set<string>()
  readonly #degraded = new Set<string>()
  readonly #undos: { readonly node: PlanNode; readonly path: string; readonly it: Json; readonly vars: JsonObject }[] = []
  readonly #steps: Record<string, Json> = {}
  readonly #scope = { stopped: false }
  readonly #visits: Visits
  #resume: (() => void)[] | null = null
  #undoing = false
  #nowMs = 0
  result: End | null = null

  constructor(options: Options) {
    this.#options = options
    this.#visits = new Visits(this)
  }

  get program(): Program {
    return this.#options.program
  }
  /** Everything asked for so far: `path#number`. */
  get asked(): readonly string[] {
    return [...this.#asked].sort()
  }

  step(place: Place): Promise<Went> {
    return this.#visits.step(place)
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
    else if (answer.is === 'asks') open.take(answer)
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
    for (let due = this.#due(); due !== undefined; due = this.#due()) {
      this.#times.splice(this.#times.indexOf(due), 1)
      due.over()
    }
  }
  /** The run was woken. */
  wake(): void {
    for (const wait of this.#waits.filter(({ untilMs }) => untilMs <= this.#nowMs)) {
      this.#waits.splice(this.#waits.indexOf(wait), 1)
      wait.take(wait.place.node.kind === 'wait' ? NOTHING : new Failed('step.timed_out'))
    }
  }
  #due() {
    return this.#times.find(({ untilMs }) => untilMs <= this.#nowMs)
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

  async #run(): Promise<void> {
    const { plan } = this.program
    const { reuse } = this.#options.request
    const env: Env = { vars: this.#steps, scope: this.#scope, owner: null }
    try {
      try {
        const last = await this.block(plan.entry, env, { vars: this.#steps, ...(reuse === undefined ? {} : { reuse }) })
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
    this.#times.length = 0
  }

  async #fail(fault: Failed): Promise<void> {
    this.#open.clear()
    this.#waits.length = 0
    this.#times.length = 0
    this.#scope.stopped = true
    const { onError } = this.program.plan
    const env: Env = { vars: this.#steps, fault, scope: { stopped: false }, owner: null }
    try {
      if (onError?.then === 'run') {
        const last = await this.block(onError.block, env)
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
        await this.block(undo.node.undo?.block ?? -1, { vars: undo.vars, it: undo.it, fault, scope: { stopped: false }, owner })
      } catch (error) {
        this.#degraded.add(failedBy(error).code)
      }
    }
    this.result = { status: 'failed', code: fault.code, degraded: [...this.#degraded].sort() }
  }

  /** Runs the steps of a block; what it comes to is the last output. */
  async block(
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
      for (const node of all.slice(0, at)) {
        const { name } = node
        const known = name === null ? undefined : reuse.steps[name]
        if (name === null || known === undefined) continue
        last = { output: known.output, by: known.by }
        vars[name] = seen(last)
        this.#shared.add(node, last, this.#nowMs)
      }
    }
    const env = { ...around, vars }
    while (at < all.length) {
      const node = all[at]
      if (node === undefined) break
      await this.free(env)
      const { entry, to } = await this.#visits.step({ node, env, path: pathOf(env.owner, node.id) })
      if (node.name !== null) vars[node.name] = seen(entry)
      this.#shared.add(node, entry, this.#nowMs)
      last = entry
      at += 1
      if (to === 'end') throw new Ended()
      if (typeof to === 'object') at = all.findIndex(({ id, name }) => id === to.step || name === to.step)
    }
    await this.free(env)
    return last
  }

  /** While the run is paused nothing is entered or left; what was stopped never goes on. */
  async free({ scope }: Env): Promise<void> {
    while (this.#resume !== null && !this.#undoing) await new Promise<void>((go) => this.#resume?.push(go))
    if (scope.stopped || this.result !== null) await new Promise(() => undefined)
  }

  /** Asks the world; `null` where the answer comes from another run. */
  async ask(place: Place, what: Work | null, visit: Pick<Visit, 'asides'> = { asides: 0 }): Promise<Came> {
    const { node, env, path } = place
    if (what === null && node.kind === 'flow') this.value(node.with, env)
    const own = what?.guard === undefined ? path : `${path}/guard[${what.guard}]`
    const call = this.#next(own)
    let asked = what
    for (;;) {
      const came = await this.#put({ ...place, path: own }, asked, call)
      if (!('use' in came)) return came
      visit.asides += 1
      const said = await this.#person({ ...place, path: `${path}/ask[${visit.asides}]` }, asked?.input ?? null)
      if (came.use === 'answer') asked = asked === null ? null : { ...asked, answered: said }
      else if (said.verdict === 'reject') throw new Failed('review.rejected')
      else return { entry: { output: said.output, by: 'human:ada' }, turn: undefined, final: true }
    }
  }

  #next(path: string): number {
    const call = (this.#calls.get(path) ?? 0) + 1
    this.#calls.set(path, call)
    return call
  }

  /** Asks a person in the name of a service. */
  async #person(place: Place, draft: Json): Promise<{ verdict: string; output: Json }> {
    try {
      const came = await this.#put(place, { kind: 'human', input: { draft } }, this.#next(place.path))
      return { verdict: 'edit', output: 'use' in came ? null : came.entry.output }
    } catch (error) {
      if (error instanceof Failed && error.code === 'review.rejected') return { verdict: 'reject', output: null }
      throw error
    }
  }

  async #put({ node, path, env }: Place, what: Work | null, call: number): Promise<Came | Asks> {
    await this.free(env)
    this.#asked.add(`${path}#${call}`)
    const { seed, place } = this.#options
    const question = what === null ? null : { seed, place: `${place}>${path}`, call, nodeId: node.id, ...what }
    return new Promise((resolve, reject) => {
      const take = (answer: Entry | Failed | Asks, turn?: Turned): void => {
        if (env.scope.stopped) return
        if (answer instanceof Failed) reject(answer)
        else resolve('use' in answer ? answer : { entry: answer, turn })
      }
      this.#open.set(path, { path, call, question, take })
    })
  }

  within<T>({ path }: Place, ms: number, scope: Env['scope'], work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        scope.stopped = true
        this.forget(path)
        this.#open.delete(path)
        reject(new Failed('step.timed_out'))
      }
      const time = { path, untilMs: this.#nowMs + ms, over }
      this.#times.push(time)
      const end = (): void => void (this.#times.includes(time) && this.#times.splice(this.#times.indexOf(time), 1))
      work().then(
        (came) => {
          end()
          resolve(came)
        },
        (error: unknown) => {
          end()
          reject(error as Error)
        },
      )
    })
  }

  async wait(place: Place): Promise<Entry> {
    const untilMs = this.#nowMs + lengthOf(place.node)
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

  remember({ node, path, env }: Place, { output }: Entry): void {
    if (node.undo === undefined || this.#undoing) return
    const sees = node.undo.sees.flatMap((name): [string, Json][] => {
      const value = name === node.name ? output : env.vars[name]
      return value === undefined ? [] : [[name, value]]
    })
    this.#undos.push({ node, path, it: output, vars: Object.fromEntries(sees) })
  }

  /** What parts that are not waited for any more have asked for. */
  forget(path: string): void {
    const below = (other: string): boolean => other.startsWith(`${path}/`) || other.startsWith(`${path}[`)
    for (const open of this.#open.keys()) if (below(open)) this.#open.delete(open)
    for (const wait of this.#waits.filter((one) => below(one.path))) this.#waits.splice(this.#waits.indexOf(wait), 1)
    for (const time of this.#times.filter((one) => below(one.path))) this.#times.splice(this.#times.indexOf(time), 1)
  }

  #see({ vars, it, fault }: Env): Scope {
    const { request } = this.#options
    return {
      input: request.input,
      params: request.params,
      run: { id: request.runId },
      steps: this.program.plan.buffers === undefined ? vars : { ...vars, buffers: this.#shared.view(this.program.plan, this.#nowMs) },
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
  degrade(code: FaultCode): void {
    this.#degraded.add(code)
  }
}

/** How long a step waits. */
const lengthOf = (node: PlanNode): number => (node.kind === 'wait' ? node.forMs : (node.timeoutMs ?? Infinity))
