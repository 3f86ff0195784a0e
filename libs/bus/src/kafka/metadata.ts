import { setTimeout } from 'node:timers/promises'
import type { Admin } from 'kafkajs'

const TRIES = 5
const PAUSE_MS = 200

type Asked = Parameters<Admin['fetchTopicMetadata']>[0]

/** Metadata of topics. kafkajs answers a broker that did not answer in time with a TypeError, for it reads what it did not get: asked again. */
export const metadataOf = async (admin: Admin, asked?: Asked): ReturnType<Admin['fetchTopicMetadata']> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await admin.fetchTopicMetadata(asked)
    } catch (error) {
      if (!(error instanceof TypeError) || tries >= TRIES) throw error
      await setTimeout(PAUSE_MS)
    }
  }
}
