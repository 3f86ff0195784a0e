import { describe, expect, it } from '@jest/globals'
import { Fault, sha256 } from '@baton/contracts'
import type { Stores } from '@baton/store'
import { mediaOf } from './media.ts'

const picture = Buffer.from('bytes of a picture')

/** A store that holds one picture, of one tenant. */
const contextOf = (tenant: string): Parameters<typeof mediaOf>[1] => {
  const payloads: Stores['payloads'] = {
    put: () => Promise.reject(new Error('nothing is stored here')),
    get: (asked) =>
      asked.tenant === 'acme' && asked.sha256 === sha256(picture)
        ? Promise.resolve({ content: picture, mediaType: 'image/png' })
        : Promise.reject(new Fault('payload.missing', 'it is not there')),
  }
  return { tenant, stores: { payloads } as Stores } // no other store is looked at
}

describe('M1: the bytes of a picture', () => {
  it('are read from the store of the tenant, by reference', async () => {
    expect(await mediaOf({ ref: sha256(picture) }, contextOf('acme'))).toEqual({ mediaType: 'image/png', bytes: picture })
    await expect(mediaOf({ ref: sha256(picture) }, contextOf('other'))).rejects.toMatchObject({ code: 'payload.missing' })
  })
  it('keep the type that the caller claims, so that a rule can look at the claim', async () => {
    expect((await mediaOf({ ref: sha256(picture), mediaType: 'image/gif' }, contextOf('acme'))).mediaType).toBe('image/gif')
  })
  it('may stand in a data URL', async () => {
    const ref = `data:image/png;base64,${picture.toString('base64')}`
    expect(await mediaOf({ ref }, contextOf('acme'))).toEqual({ mediaType: 'image/png', bytes: picture })
  })
  it('are fetched from no address', async () => {
    const asked = mediaOf({ ref: 'https://example.org/a.png' }, contextOf('acme'))
    await expect(asked).rejects.toMatchObject({ code: 'tool.arguments_invalid' })
  })
})
