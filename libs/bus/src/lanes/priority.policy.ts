// Priority classes of messages. A class is a topic; what is in it says how urgent it is before anything of it is read.

/** 0 high, 1 normal, 2 bulk. */
export type PriorityClass = 0 | 1 | 2

export const CLASSES: readonly PriorityClass[] = [0, 1, 2]
/** Turns of a class while all have work. */
export const CLASS_WEIGHTS: readonly [number, number, number] = [16, 4, 1]
/** Share of the slots, and of the memory, that a class and those below it may take together while there are classes above it. */
const CLASS_SHARES: readonly [number, number, number] = [1, 7 / 8, 3 / 4]

/** By the end of the topic's name: `.high`, `.bulk`, else normal. */
export const classOfTopic = (topic: string): PriorityClass => {
  if (topic.endsWith('.high')) return 0
  return topic.endsWith('.bulk') ? 2 : 1
}

/**
 * Of `total`, what each class may take together with those below it. What is above it keeps a part free, so that an urgent message never
 * waits until a slow one is over; where no topic of a class above exists, nothing is kept.
 */
export const limitsOf = (total: number, topics: readonly string[]): readonly [number, number, number] => {
  const urgent = Math.min(...topics.map(classOfTopic))
  const limit = (own: PriorityClass): number => (own <= urgent ? total : Math.max(1, total - Math.floor(total * (1 - CLASS_SHARES[own]))))
  return [total, limit(1), limit(2)]
}
