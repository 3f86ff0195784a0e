// Exchanging a document of configuration: who is asked, what is told, and what is not.
import { describe, expect, it } from '@jest/globals'
import type { OutgoingRecord } from '@baton/bus/bus'
import { decodeEvent } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { ConfigController } from './config.controller.ts'

type Asked = Parameters<Platform['call']>[0]
type Answer = { readonly status: number; readonly body: unknown }

const open = (answer: (asked: Asked) => Answer) => {
  const told: OutgoingRecord[] = []
  const asked: string[] = []
  const platform = {
    nowMs: () => 5,
    call: async (request: Asked) => {
      asked.push(`${request.service} ${request.method} ${request.path}`)
      const { status, body } = answer(request)
      return { status, body: JSON.stringify(body), contentType: 'application/json' }
    },
    bus: {
      publish: async (records: readonly OutgoingRecord[]) => {
        told.push(...records)
        return []
      },
    },
  } as unknown as Platform // The controller uses nothing else of it.
  return { told, asked, controller: new ConfigController(platform) }
}
const good = open.bind(undefined, ({ method }) => ({
  status: 200,
  body: method === 'GET' ? { version: 3 } : { version: 3, content: { models: {} } },
}))

describe('documents of configuration', () => {
  it('K2: are told as a whole, with their version and hash, to whoever reads them', async () => {
    const { controller, told, asked } = good()
    expect(await controller.write('models', { text: 'models: {}', by: 'ada' })).toEqual({
      document: 'models',
      version: 4,
      hash: expect.any(String),
    })
    expect(asked).toEqual(['models POST /v1/config/models:check'])
    const [record] = told
    if (record === undefined) throw new Error('nothing was told')
    expect([record.topic, record.key]).toEqual(['baton.config', 'config/models'])
    expect(decodeEvent(record)).toMatchObject({
      name: 'config.changed',
      data: { document: 'models', version: 4, by: 'ada', atMs: 5, content: { models: {} } },
    })
  })

  it('K1: a bad one is answered with its mistakes and told to nobody', async () => {
    const { controller, told } = open(() => ({ status: 500, body: { code: 'config.invalid', detail: 'line 4: models.a.model' } }))
    await expect(controller.write('models', { text: 'x' })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'line 4: models.a.model',
    })
    expect(told).toEqual([])
  })

  it('K2: is not written over what the writer has not seen', async () => {
    const { controller, told } = good()
    await expect(controller.write('models', { text: 'models: {}', version: 2 })).rejects.toMatchObject({ code: 'request.conflicting' })
    await expect(controller.write('models', { text: null, version: 2 })).rejects.toMatchObject({ code: 'request.conflicting' })
    expect(told).toEqual([])
  })

  it('is taken away with an empty record, and unknown ones are not found', async () => {
    const { controller, told } = good()
    await controller.write('models', { text: null })
    expect(told).toMatchObject([{ key: 'config/models', value: Buffer.alloc(0) }])
    await expect(controller.write('nothing', { text: 'a: 1' })).rejects.toMatchObject({ code: 'request.not_found' })
  })
})
