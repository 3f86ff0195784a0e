import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { canonicalJson, Fault, sha256, type Json, type StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { Platform, WorkContext, WorkResult } from '@baton/service'
import { migrate, openPglite, openPostgres, openStore, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { openTelemetry } from '@baton/telemetry'
import { BUILT_IN_TOOLS } from './built-in.ts'
import { migrations } from './migrations/migrations.ts'
import { countTickets } from './tickets/ticket.repository.ts'
import { toolCall } from './tool-call.consumer.ts'
import { createRegistry } from './tool-registry.ts'
import { fixedSource } from './tool-source.ts'
import { defineTool, type Tool } from './tool.ts'

const suite = (open: () => Promise<Database>): void => {
  let db: Database
  let platform: Platform

  beforeAll(async () => {
    db = await open()
    const stores = await openStore(db)
    await migrate(db, { scope: 'tools', migrations })
    platform = {
      db,
      stores,
      telemetry: openTelemetry({ service: 'test', level: 'error' }),
      nowMs: () => 1_000,
      call: () => Promise.reject(new Error('no other service here')),
      // Tools see neither the bus nor the configuration.
    } as unknown as Platform
  }, 60_000)
  afterAll(async () => {
    await platform.telemetry.close()
    await db.close()
  })

  type Asked = { readonly tools: readonly string[]; readonly input?: Json; readonly key?: string; readonly node?: Partial<PlanNode> }
  let keys = 0
  const freshKey = (): string => `run_${(keys += 1)}/step/0`

  const workOf = ({ tools, input = {}, node = {} }: Asked): WorkContext => ({
    plan: {} as WorkContext['plan'], // the handler reads its node only
    node: { id: 'step', name: 'step', kind: 'tool', tools, with: { lit: {} }, effect: 'irreversible', ...node } as PlanNode,
    input,
    signal: new AbortController().signal,
    nowMs: () => 1_000,
    parts: {},
    media: [],
    delivery: 1,
  })

  const commandOf = (key: string): StepCommand =>
    ({ runId: key.split('/')[0], tenant: 'default', flow: 'test/flow', path: 'step', effectKey: key, attemptId: `${key}/1` }) as StepCommand // what the handler reads

  const call = async (more: readonly Tool[], asked: Asked): Promise<WorkResult & { status: 'answered' }> => {
    const handler = toolCall({ platform, registry: createRegistry([fixedSource('test', [...BUILT_IN_TOOLS, ...more])]) })
    const result = await handler(commandOf(asked.key ?? freshKey()), workOf(asked))
    if (result.status !== 'answered') throw new Error(`the tool answered ${result.status}`)
    return result
  }

  const TEXT = { text: 'My card was declined. Please help me with it.' }
  const tickets = async (): Promise<number> => (await countTickets(db, 'default')).tickets

  /** An effect outside the database: it happens when it is counted. */
  const effectTool = (
    name: string,
    more: { fail?: (n: number) => unknown; idempotent?: boolean; reconcile?: boolean; timeoutMs?: number } = {},
  ): { tool: Tool; effects: string[] } => {
    const effects: string[] = []
    let calls = 0
    const tool = defineTool({
      name,
      effect: 'irreversible',
      idempotent: more.idempotent ?? false,
      input: z.looseObject({}),
      output: z.object({ paid: z.string() }),
      timeoutMs: more.timeoutMs ?? 1_000,
      run: async (_args, { effectKey, signal }) => {
        calls += 1
        const failure = more.fail?.(calls)
        if (failure instanceof Fault) throw failure
        if (more.idempotent !== true || !effects.includes(effectKey)) effects.push(effectKey)
        if (failure === 'hang') await new Promise((resolve) => signal.addEventListener('abort', resolve))
        else if (failure !== undefined) throw failure
        return { paid: effectKey }
      },
      ...(more.reconcile === true
        ? { reconcile: async (effectKey: string) => (effects.includes(effectKey) ? { paid: effectKey } : undefined) }
        : {}),
    })
    return { tool, effects }
  }

  describe('tool.call', () => {
    it('C2, C4: a command delivered again creates no second ticket and gives the same answer', async () => {
      const before = await tickets()
      const key = freshKey()
      const asked = { tools: ['support/create_ticket'], input: TEXT, key }
      const answers = [await call([], asked), await call([], asked), await call([], asked)]
      expect(new Set(answers.map(({ output }) => canonicalJson(output))).size).toBe(1)
      expect(await tickets()).toBe(before + 1)
    })

    it('C1, U4: a crash after the effect and before its result was kept is found out by asking the tool', async () => {
      const { tool, effects } = effectTool('pay/out', { reconcile: true })
      const key = freshKey()
      const input = { amount: 5 }
      await platform.stores.effects.begin({ tenant: 'default', key, tool: 'pay/out', argsHash: sha256(canonicalJson(input)) })
      effects.push(key)
      expect((await call([tool], { tools: ['pay/out'], input, key })).output).toEqual({ paid: key })
      expect(effects).toEqual([key])
    })

    it('C3: an effect that began and that nobody knows the end of is not repeated by a tool that cannot tell', async () => {
      const { tool, effects } = effectTool('pay/blind')
      const key = freshKey()
      await platform.stores.effects.begin({ tenant: 'default', key, tool: 'pay/blind', argsHash: sha256(canonicalJson({})) })
      await expect(call([tool], { tools: ['pay/blind'], key })).rejects.toMatchObject({ code: 'effect.uncertain' })
      expect(effects).toEqual([])
    })

    it('C4: the same effect with other arguments asks a person', async () => {
      const key = freshKey()
      await call([], { tools: ['support/create_ticket'], input: TEXT, key })
      await expect(call([], { tools: ['support/create_ticket'], input: { text: 'Another text.' }, key })).rejects.toMatchObject({
        code: 'effect.conflicting',
      })
    })

    it('C5, U2: what failed for certain is done by the next delivery, once', async () => {
      const { tool, effects } = effectTool('pay/later', {
        fail: (n) => (n === 1 ? new Fault('tool.failed', 'the bank is closed') : undefined),
      })
      const key = freshKey()
      await expect(call([tool], { tools: ['pay/later'], key })).rejects.toMatchObject({ code: 'tool.failed' })
      expect((await call([tool], { tools: ['pay/later'], key })).output).toEqual({ paid: key })
      await call([tool], { tools: ['pay/later'], key })
      expect(effects).toEqual([key])
    })

    it('U3: a tool that has its effect once for its key is simply run again after a crash', async () => {
      const { tool, effects } = effectTool('pay/once', {
        idempotent: true,
        fail: (n) => (n === 1 ? new Error('connection reset') : undefined),
      })
      const key = freshKey()
      await expect(call([tool], { tools: ['pay/once'], key })).rejects.toMatchObject({ code: 'tool.failed' })
      expect((await call([tool], { tools: ['pay/once'], key })).output).toEqual({ paid: key })
      expect(effects).toEqual([key])
    })

    it('X2, U1: a tool without effect leaves nothing in the ledger', async () => {
      const key = freshKey()
      await call([], { tools: ['demo/no_op'], input: { v: 1 }, key })
      await call([], { tools: ['demo/no_op'], input: { v: 2 }, key })
      expect((await db.query('select key from effects where key = $1', [key])).rows).toEqual([])
    })

    it('X3: a tool whose effect may have happened is followed by no other tool', async () => {
      const first = effectTool('pay/first', { fail: () => new Error('connection reset') })
      const second = effectTool('pay/second')
      const key = freshKey()
      const asked = { tools: ['pay/first', 'pay/second'], key }
      await expect(call([first.tool, second.tool], asked)).rejects.toMatchObject({ code: 'tool.failed' })
      await expect(call([first.tool, second.tool], asked)).rejects.toMatchObject({ code: 'effect.uncertain' })
      expect([first.effects, second.effects]).toEqual([[key], []])
    })

    it('X3: the effect that happened although the call failed is the answer when the tool knows of it', async () => {
      const { tool, effects } = effectTool('pay/known', { fail: () => new Error('connection reset'), reconcile: true })
      const key = freshKey()
      expect((await call([tool], { tools: ['pay/known'], key })).output).toEqual({ paid: key })
      expect(effects).toEqual([key])
    })

    it('C12: the next tool of the list is called when one fails for certain, and the answer says who gave it', async () => {
      const broken = effectTool('pay/broken', { fail: () => new Fault('tool.failed', 'out of service') })
      const spare = effectTool('pay/spare')
      const answer = await call([broken.tool, spare.tool], { tools: ['pay/broken', 'pay/spare'] })
      expect(answer).toMatchObject({ by: 'tool:pay/spare', meter: { tool: 'pay/spare', failedOver: ['pay/broken: tool.failed'] } })
    })

    it('F2: whatever the tool does, and however often a command comes, an effect that is done once for its key is there once', async () => {
      const failures = fc.array(fc.constantFrom(undefined, new Fault('tool.failed', 'no'), new Error('reset')), { maxLength: 4 })
      const kinds = fc.constantFrom({ reconcile: true }, { idempotent: true }, {})
      await fc.assert(
        fc.asyncProperty(failures, kinds, fc.integer({ min: 1, max: 5 }), async (fails, kind, deliveries) => {
          const { tool, effects } = effectTool('pay/any', { ...kind, fail: (n) => fails[n - 1] })
          const key = freshKey()
          for (let n = 0; n < deliveries; n += 1) await call([tool], { tools: ['pay/any'], key }).catch(() => undefined)
          expect(effects.length).toBeLessThanOrEqual(1)
        }),
        { numRuns: 40 },
      )
    })

    it('C6: a repeat waits for the delivery under way instead of taking it for crashed', async () => {
      const { tool, effects } = effectTool('pay/slow', { reconcile: true })
      const slow: Tool = {
        ...tool,
        run: async (args, context) => {
          await new Promise((resolve) => setTimeout(resolve, 30))
          return tool.run(args, context)
        },
      }
      const handler = toolCall({ platform, registry: createRegistry([fixedSource('test', [slow])]) })
      const key = freshKey()
      const twice = [1, 2, 3].map(() => handler(commandOf(key), workOf({ tools: ['pay/slow'] })))
      await Promise.all(twice)
      expect(effects).toEqual([key])
    })

    it('X1: arguments that do not fit are refused by field before anything is called', async () => {
      const before = await tickets()
      const wrong = [{}, { text: 7 }, { ...TEXT, priority: 'soon' }, { ...TEXT, colour: 'red' }]
      const fields = ['text', 'text', 'priority', 'colour']
      for (const [at, input] of wrong.entries()) {
        await expect(call([], { tools: ['support/create_ticket'], input })).rejects.toMatchObject({
          code: 'tool.arguments_invalid',
          detail: { field: fields[at] },
        })
      }
      expect(await tickets()).toBe(before)
      await expect(call([], { tools: ['support/none'] })).rejects.toMatchObject({ code: 'tool.unknown' })
    })

    it('a tool that hangs is left after its time, and one that crashes tells nothing of its inside', async () => {
      const slow = defineTool({
        name: 'slow/one',
        effect: 'read',
        input: z.looseObject({}),
        output: z.unknown(),
        timeoutMs: 20,
        run: () => new Promise<never>(() => undefined),
      })
      await expect(call([slow], { tools: ['slow/one'] })).rejects.toMatchObject({ code: 'tool.timed_out' })
      const crash = defineTool({
        name: 'crash/one',
        effect: 'read',
        input: z.looseObject({}),
        output: z.unknown(),
        timeoutMs: 100,
        run: () => {
          throw new TypeError('x is not a function\n    at /srv/secret/path.ts:1:1')
        },
      })
      await expect(call([crash], { tools: ['crash/one'] })).rejects.toMatchObject({
        code: 'tool.failed',
        message: 'crash/one: x is not a function',
      })
    })

    it('B6: tries as often as the step says', async () => {
      const { tool } = effectTool('pay/third', { idempotent: true, fail: (n) => (n < 3 ? new Fault('tool.failed', 'busy') : undefined) })
      const retry = { attempts: 3, backoff: 'fixed', delayMs: 1, maxDelayMs: 1, jitter: false } as const
      expect((await call([tool], { tools: ['pay/third'], node: { retry } })).meter.tries).toBe(3)
    })

    it('D1: an output beyond the limit, or outside the schema of tool or step, is a fault', async () => {
      const large = defineTool({
        name: 'out/large',
        effect: 'read',
        input: z.looseObject({}),
        output: z.string(),
        timeoutMs: 1_000,
        run: () => 'x'.repeat(1_100_000),
      })
      await expect(call([large], { tools: ['out/large'] })).rejects.toMatchObject({ code: 'step.output_too_large' })
      const wrong = defineTool({
        name: 'out/wrong',
        effect: 'read',
        input: z.looseObject({}),
        output: z.object({ n: z.number() }),
        timeoutMs: 1_000,
        run: () => JSON.parse('{"n":"1"}') as { n: number },
      })
      await expect(call([wrong], { tools: ['out/wrong'] })).rejects.toMatchObject({ code: 'tool.failed', detail: { field: 'n' } })
      const returns = { type: 'object', properties: { v: { type: 'number', maximum: 1 } }, required: ['v'] }
      await expect(call([], { tools: ['demo/no_op'], input: { v: 1 }, node: { returns } })).rejects.toMatchObject({
        code: 'output.schema_invalid',
        detail: { field: 'v' },
      })
    })

    it('the built-in tools do what they say', async () => {
      expect((await call([], { tools: ['demo/no_op'], input: { v: 41 } })).output).toEqual({ v: 42 })
      expect((await call([], { tools: ['demo/echo'], input: { a: [1] } })).output).toEqual({ a: [1] })
      expect((await call([], { tools: ['billing/refund_status'], input: { ticket: 'T-1' } })).output).toMatchObject({
        found: false,
        text: 'No refund on record.',
      })
      await call([], { tools: ['billing/record_refund'], input: { ticket: 'T-1', status: 'approved', amount: 12.5, currency: 'EUR' } })
      expect((await call([], { tools: ['billing/refund_status'], input: { ticket: 'T-1' } })).output).toMatchObject({
        found: true,
        status: 'approved',
        amount: 12.5,
      })
      const key = freshKey()
      await call([], { tools: ['support/create_ticket'], input: { ...TEXT, customer: 'c-7', priority: 'high' }, key })
      expect((await call([], { tools: ['support/find_tickets'], input: { customer: 'c-7' } })).output).toMatchObject({
        count: 1,
        tickets: [{ priority: 'high' }],
      })
      const fault = { fault: { code: 'model.timed_out', message: 'too slow' }, run: { id: 'run_1' } }
      expect((await call([], { tools: ['ops/log_error'], input: fault })).output).toEqual({ logged: true, code: 'model.timed_out' })
    })
  })
}

describe('on PGlite', () => {
  suite(() => openPglite())
})
describeWithPostgres('PostgreSQL', (postgres) => suite(async () => openPostgres({ url: await postgres.freshDatabase() })))
