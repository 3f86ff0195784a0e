import type { Bus } from '../bus.ts'
import type { KafkaBusOptions } from './kafka-bus.ts'

/** Connects, checks the topics and makes the missing ones. Rejects with `config.invalid` or `bus.unavailable`. Loads the client only when called. */
export const openKafkaBus = async (options: KafkaBusOptions): Promise<Bus> => {
  const { connectKafkaBus } = await import('./kafka-bus.ts')
  return connectKafkaBus(options)
}
