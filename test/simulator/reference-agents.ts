// Agents and teams, for the reference: turn after turn, and members as agents of their own.
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import type { AgentSpec, PlanNode } from '@baton/flow/plan'
import type { Question } from './answers.ts'
import { Failed, failedBy, type Entry, type Place, type Runner, type Turned } from './reference-terms.ts'

type Result = {
  readonly id: string
  readonly tool: string
  readonly output?: Json
  readonly fault?: { readonly code: Failed['code']; readonly message: string }
}
type TeamNode = PlanNode & { readonly kind: 'team' }
type Work = {
  readonly task: Json
  /** Cap of turns that the step itself has. */
  readonly turns?: number
  readonly note: (said: { readonly agent: string; readonly answer?: Entry }) => void
}
type Said = Awaited<ReturnType<Runner['ask']>>
type AgentCall = Turned['calls'][number]
type AgentWork = Pick<Work, 'task' | 'note'> & {
  agent: string
  handed: number
  readonly made: Map<string, number>
  results: Result[]
  same: [string, number]
}
type Subtask = { readonly agent: string | undefined; readonly task: Json; came?: Entry | Failed }

export class Agents {
  readonly #run: Runner

  constructor(run: Runner) {
    this.#run = run
  }

  /** What an agent comes to. */
  async work(place: Place, { task, note, turns: own }: Work): Promise<Entry> {
    const { node } = place
    const work: AgentWork = { agent: this.#chosen(place), task, note, handed: 0, made: new Map(), results: [], same: ['', 0] }
    // The caps of the step are those of the agent it names, also after a hand-over.
    const named = node.kind === 'agent' && node.agent !== undefined ? this.#spec(work).limits.turns : undefined
    const cap = Math.min(own ?? Infinity, named ?? Infinity)
    note({ agent: work.agent })
    for (let turn = 1; ; turn += 1) {
      const turns = cap === Infinity ? (this.#spec(work).limits.turns ?? 20) : cap
      if (turn > turns) throw new Failed('limit.turns_exceeded')
      const tools = turn === turns && turns > 1 ? [] : this.#allowed(work)
      const asked = { agent: work.agent, turn, use: 'turn' as const, tools, results: work.results }
      const said = await this.#ask(place, `turn[${turn}]`, { kind: 'model', input: task, turn: asked })
      const calls = said.turn?.calls ?? []
      if (calls.length === 0) return this.#answer(place, work, turn, said)
      if (this.#handsOver(work, calls)) continue
      this.#repeats(work, calls)
      work.results = await Promise.all(
        calls.map((call, number) => this.#call(place, work, { call, path: `turn[${turn}]/call[${number}]` })),
      )
      const came = canonicalJson(work.results.map(({ tool, output = null, fault }) => [tool, output, fault?.code ?? null] as Json))
      work.same = [came, work.same[0] === came ? work.same[1] + 1 : 1]
      if (work.same[1] >= 3) throw new Failed('agent.stuck')
    }
  }

  #spec({ agent }: Pick<AgentWork, 'agent'>): AgentSpec {
    const spec = this.#run.program.plan.agents?.[agent]
    if (spec === undefined) throw new Failed('agent.unknown')
    return spec
  }

  #allowed(work: AgentWork): string[] {
    const { tools, handoff } = this.#spec(work)
    return [...tools, ...(work.handed < 5 ? handoff.map((to) => `handoff/${to}`) : [])]
  }

  /** Its answer, looked at by itself where it has to, if it is sure enough. */
  async #answer(place: Place, work: AgentWork, turn: number, said: Said): Promise<Entry> {
    const { selfCheck, minConfidence } = this.#spec(work)
    const { agent, task, note } = work
    let last = said
    if (selfCheck !== undefined) {
      const check = { agent, turn, use: 'check' as const, tools: [], results: [] }
      last = await this.#ask(place, `check[${turn}]`, { kind: 'model', input: task, turn: check })
    }
    const { output } = last.entry
    const own = isJsonObject(output) ? output['confidence'] : undefined
    const sure = typeof own === 'number' ? own : (last.turn?.confidence ?? said.turn?.confidence ?? null)
    const answer = { output, by: `agent:${agent}` }
    if (minConfidence === undefined || (sure !== null && sure >= minConfidence && sure <= 1)) return answer
    note({ agent, answer })
    throw new Failed('agent.unsure')
  }

  #handsOver(work: AgentWork, calls: readonly AgentCall[]): boolean {
    const over = calls.find(({ tool }) => tool.startsWith('handoff/'))
    if (over === undefined || !this.#allowed(work).includes(over.tool)) return false
    work.handed += 1
    work.agent = over.tool.slice('handoff/'.length)
    work.note({ agent: work.agent })
    work.results = []
    work.same = ['', 0]
    return true
  }

  #repeats({ made }: AgentWork, calls: readonly AgentCall[]): void {
    for (const { tool, arguments: input } of calls) {
      const key = canonicalJson([tool, input])
      const times = (made.get(key) ?? 0) + 1
      made.set(key, times)
      if (times > 3) throw new Failed('agent.repeating')
    }
  }

  async #call(place: Place, work: AgentWork, { call, path }: { call: AgentCall; path: string }): Promise<Result> {
    const { id, tool, arguments: input } = call
    if (!this.#spec(work).tools.includes(tool)) return { id, tool, fault: { code: 'tool.unknown', message: 'it has no such tool' } }
    try {
      const { entry } = await this.#ask(place, path, { kind: 'tool', input, tool })
      return { id, tool, output: entry.output }
    } catch (error) {
      const { code, message } = failedBy(error)
      return { id, tool, fault: { code, message } }
    }
  }

  #chosen({ node, env }: Place): string {
    if (node.kind !== 'agent') throw new Failed('agent.unknown')
    if (node.agent !== undefined) return node.agent
    const value = node.by === undefined ? null : this.#run.value({ cel: node.by }, env)
    const found = Object.values(this.#run.program.plan.agents ?? {}).find((one) => one.for.some((kind) => kind === value))
    if (found === undefined) throw new Failed('agent.unknown')
    return found.name
  }

  #ask(place: Place, below: string, what: Pick<Question, 'kind' | 'input' | 'turn' | 'tool'>) {
    return this.#run.ask({ ...place, path: `${place.path}/${below}` }, what)
  }

  /** A planner, its subtasks, and one result of them. */
  async team(place: Place, node: TeamNode): Promise<Entry> {
    const tasks: Subtask[] = []
    for (let round = 1; round <= (node.limits.rounds ?? 1); round += 1) {
      const plan = await this.#member(place, `plan[${round}]`, node.planner, round === 1 ? {} : { round, findings: findingsOf(tasks) })
      const found = isJsonObject(plan.output) && Array.isArray(plan.output['tasks']) ? plan.output['tasks'] : []
      if (tasks.length + found.length > (node.limits.subtasks ?? 100)) throw new Failed('limit.subtasks_exceeded')
      if (found.length === 0) break
      for (const task of found) {
        const agent = this.#workerFor(node, task)
        tasks.push({
          agent,
          task,
          ...(agent === undefined ? { came: new Failed('agent.unknown', `no worker of ${node.id} is for this subtask`) } : {}),
        })
      }
      await this.#all(place, node, tasks)
      const last = tasks.at(-1)?.came
      if (tasks.every(({ came }) => came instanceof Failed) && last instanceof Failed) throw last
    }
    const made = await this.#member(place, 'synthesis', node.synthesis, { findings: findingsOf(tasks) })
    return { output: made.output, by: `team:${made.by.replace(/^agent:/, '')}` }
  }

  #workerFor({ workers }: TeamNode, task: Json): string | undefined {
    const { agents = {} } = this.#run.program.plan
    const kind = isJsonObject(task) ? task['kind'] : undefined
    return workers.find((name) => agents[name]?.for.some((one) => one === kind))
  }

  /** Subtasks side by side, as many as may. */
  async #all(place: Place, { concurrency }: TeamNode, tasks: readonly Subtask[]): Promise<void> {
    const due = [...tasks.entries()].filter(([, { came }]) => came === undefined)
    const lane = async (): Promise<void> => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) {
        const [number, subtask] = next
        try {
          subtask.came = await this.#member(place, `task[${number}]`, subtask.agent ?? '', { task: subtask.task })
        } catch (error) {
          subtask.came = failedBy(error)
        }
      }
    }
    await Promise.all(Array.from({ length: concurrency }, lane))
  }

  async #member(place: Place, below: string, agent: string, more: { readonly [key: string]: Json }): Promise<Entry> {
    const { node, env, path } = place
    const value = this.#run.value(node.with, env)
    const input = { ...(isJsonObject(value) ? value : { it: value }), ...more }
    const member: PlanNode = { id: node.id, name: null, kind: 'agent', agent, with: { lit: input }, effect: node.effect }
    const { entry } = await this.#run.step({ node: member, env, path: `${path}/${below}` })
    return entry
  }
}

const findingsOf = (tasks: readonly Subtask[]): Json =>
  tasks.map(({ agent = '', task, came }): Json => ({
    agent,
    task,
    ...(came instanceof Failed ? { fault: { code: came.code, message: came.message } } : came === undefined ? {} : { found: came.output }),
  }))
