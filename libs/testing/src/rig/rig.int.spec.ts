import { afterEach, describe, expect, it } from '@jest/globals'
import { faultSchedule, type FaultRule } from './faults.policy.ts'
import { type Rig, startRig } from './rig.ts'
import { indexRecordings, TURN } from './recording.ts'

const RECORDINGS = [
  { model: 'strong', id: 'q1', asked: 'What is 2 + 2?', text: 'It is 4.', latencyMs: 40, inputTokens: 7, outputTokens: 5 },
  { model: 'strong', id: 'q2', asked: ['Book it', 'done'].join(TURN), text: '', calls: [{ tool: 'book', arguments: '{"seat":"1A"}' }] },
]
let rig: Rig | undefined
afterEach(async () => {
  await rig?.close()
})

const open = async (faults: readonly FaultRule[] = []): Promise<Rig> => (rig = await startRig({ recordings: RECORDINGS, faults }))
const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
const asks = (content: string, more: object = {}): object => ({ model: 'strong', messages: [{ role: 'user', content }], ...more })

describe('recordings', () => {
  it('are found by id, by the whole conversation, and by the last message', () => {
    const { find } = indexRecordings(RECORDINGS)
    expect(find({ model: 'strong', id: 'q1', conversation: '', last: '' })?.text).toBe('It is 4.')
    expect(find({ model: 'strong', conversation: `Book it${TURN}done`, last: 'done' })?.calls).toHaveLength(1)
    expect(find({ model: 'strong', conversation: `x${TURN}What is 2 + 2?`, last: 'What is 2 + 2?' })?.id).toBe('q1')
    expect(find({ model: 'weak', id: 'q1', conversation: '', last: '' })).toBeUndefined()
  })
  it('that have no time take one that grows with their length', () => {
    expect(indexRecordings(RECORDINGS).find({ model: 'strong', id: 'q2', conversation: '', last: '' })?.latencyMs).toBeGreaterThan(550)
  })
})

describe('schedules of faults', () => {
  it('F1: the same rules do the same to the same requests', () => {
    const rules: readonly FaultRule[] = [{ fault: { kind: 'hang' }, share: 0.03 }]
    const play = (seed: number): readonly boolean[] => {
      const decide = faultSchedule(rules, seed)
      return Array.from({ length: 4_000 }, () => decide({ model: 'm', sinceMs: 0 }) !== undefined)
    }
    expect(play(1)).toEqual(play(1))
    expect(play(1)).not.toEqual(play(2))
    const hits = play(1).filter(Boolean).length
    expect(hits).toBeGreaterThan(80)
    expect(hits).toBeLessThan(160)
  })
  it('hold for a model, a time, a number of times, and from a request on', () => {
    const decide = faultSchedule([
      { fault: { kind: 'reset' }, model: 'a', fromMs: 100, untilMs: 200 },
      { fault: { kind: 'hang' }, model: 'b', times: 1, after: 2 },
    ])
    expect(decide({ model: 'a', sinceMs: 50 })).toBeUndefined()
    expect(decide({ model: 'a', sinceMs: 100 })?.kind).toBe('reset')
    expect(decide({ model: 'a', sinceMs: 200 })).toBeUndefined()
    expect([1, 2, 3].map(() => decide({ model: 'b', sinceMs: 0 })?.kind)).toEqual([undefined, 'hang', undefined])
  })
})

describe('the rig', () => {
  it('speaks chat completions, whole and as a stream', async () => {
    const { openAiUrl, stats } = await open()
    const whole = (await (await post(`${openAiUrl}/chat/completions`, asks('What is 2 + 2?'))).json()) as {
      choices: { message: { content: string } }[]
      usage: object
    }
    expect(whole.choices[0]?.message.content).toBe('It is 4.')
    expect(whole.usage).toEqual({ prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 })
    const streamed = await (
      await post(`${openAiUrl}/chat/completions`, asks('What is 2 + 2?', { stream: true, stream_options: { include_usage: true } }))
    ).text()
    expect(streamed).toContain('"content":"It is 4."')
    expect(streamed).toContain('"total_tokens":12')
    expect(streamed.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect(stats()).toMatchObject({ requests: 2, outcomes: { answered: 2 }, outputTokens: 10 })
  })
  it('speaks messages, with calls', async () => {
    const { anthropicUrl } = await open()
    const body = (await (await post(`${anthropicUrl}/messages`, asks('x'), { 'x-recording': 'q2' })).json()) as {
      content: unknown
      stop_reason: string
    }
    expect(body).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'book', input: { seat: '1A' } }] })
    const streamed = await (await post(`${anthropicUrl}/messages`, asks('[recording q1]', { stream: true }))).text()
    expect(streamed).toContain('"type":"text_delta","text":"It is 4."')
    expect(streamed).toContain('event: message_stop')
  })
  it('R1: what was not recorded is not made up', async () => {
    const { openAiUrl } = await open()
    expect((await post(`${openAiUrl}/chat/completions`, asks('Who are you?'))).status).toBe(404)
  })
  it('fails by schedule: 429 with Retry-After, a cut stream, a body that is no JSON, a connection that breaks', async () => {
    const { openAiUrl, setFaults } = await open([{ fault: { kind: 'status', status: 429, retryAfterMs: 2_000 } }])
    const url = `${openAiUrl}/chat/completions`
    const limited = await post(url, asks('What is 2 + 2?'))
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2'])
    setFaults([{ fault: { kind: 'cut' } }])
    await expect(post(url, asks('What is 2 + 2?', { stream: true })).then((response) => response.text())).rejects.toThrow('terminated')
    setFaults([{ fault: { kind: 'malformed' } }])
    await expect(post(url, asks('What is 2 + 2?')).then((response) => response.json())).rejects.toThrow('JSON')
    setFaults([{ fault: { kind: 'reset' } }])
    await expect(post(url, asks('What is 2 + 2?'))).rejects.toThrow('fetch failed')
  })
})
