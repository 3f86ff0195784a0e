// How the leader of a consumer group deals out partitions. Pure, and the same for every client library.
//   C1. Topics with the same number of partitions are dealt out by number: partition 3 of all of them goes to one member. Records of one key
//       are in partitions of one number, so that the process that has a key's commands of a class has those of the classes beside it, and
//       the one that has a wait of a key has all its waits.
//   C2. Of each such group of topics members have the same number of partitions, or one more; who has one more is who has least of the rest.
//   C3. What stays is what was there: a member keeps the partitions it has, as far as its share goes, so that a member that comes or goes
//       moves no more than that share and nothing that runs elsewhere is aborted.
//   C4. Only a member that reads a topic gets partitions of it.

/** Name of the rule among the members of a group. */
export const CO_PARTITIONED = 'BatonCoPartitioned'

/** Numbers of partitions that a member had, by the number of partitions of their topics. */
export type Owned = ReadonlyMap<number, readonly number[]>

export type GroupCandidate = { readonly memberId: string; readonly topics: readonly string[]; readonly owned: Owned }

export type TopicPartitions = { readonly topic: string; readonly partitions: readonly number[] }

type Seat = { readonly memberId: string; total: number }

/** What each member gets; also those that get nothing. */
export const dealPartitions = (
  candidates: readonly GroupCandidate[],
  topics: readonly TopicPartitions[],
): ReadonlyMap<string, readonly TopicPartitions[]> => {
  const members = candidates.toSorted((left, right) => compareText(left.memberId, right.memberId))
  const seats = new Map(members.map(({ memberId }): [string, Seat] => [memberId, { memberId, total: 0 }]))
  const dealt = new Map(members.map(({ memberId }): [string, TopicPartitions[]] => [memberId, []]))
  for (const together of coPartitioned(members, topics)) {
    for (const [memberId, numbers] of dealNumbers(together, seats)) {
      if (numbers.length === 0) continue
      for (const topic of together.topics) dealt.get(memberId)?.push({ topic, partitions: numbers })
    }
  }
  return dealt
}

type Together = { readonly count: number; readonly topics: string[]; readonly readers: readonly GroupCandidate[] }

/** C1, C4. The most partitions first, so that small topics even out what is left. */
const coPartitioned = (members: readonly GroupCandidate[], topics: readonly TopicPartitions[]): readonly Together[] => {
  const groups = new Map<string, Together>()
  for (const { topic, partitions } of topics) {
    const readers = members.filter((member) => member.topics.includes(topic))
    if (readers.length === 0 || partitions.length === 0) continue
    const id = `${partitions.length}/${readers.map(({ memberId }) => memberId).join('/')}`
    const known = groups.get(id)
    if (known === undefined) groups.set(id, { count: partitions.length, topics: [topic], readers })
    else known.topics.push(topic)
  }
  return [...groups.values()].toSorted((left, right) => right.count - left.count)
}

const dealNumbers = ({ count, topics, readers }: Together, seats: ReadonlyMap<string, Seat>): ReadonlyMap<string, readonly number[]> => {
  const hands = new Map(readers.map(({ memberId }): [string, number[]] => [memberId, []]))
  const free = new Set(Array.from({ length: count }, (_, number) => number))
  const least = Math.floor(count / readers.length)
  let extras = count % readers.length
  const give = (memberId: string, number: number): void => {
    free.delete(number)
    hands.get(memberId)?.push(number)
    const seat = seats.get(memberId)
    if (seat !== undefined) seat.total += topics.length
  }
  const kept = readers.map(({ memberId, owned }) => ({ memberId, numbers: owned.get(count) ?? [] }))
  for (const { memberId, numbers } of kept) {
    const wanted = numbers.filter((number) => free.has(number)).slice(0, least + 1) // C3
    for (const number of wanted.slice(0, least)) give(memberId, number)
    const more = wanted[least]
    if (more === undefined || extras === 0) continue
    give(memberId, more)
    extras -= 1
  }
  for (const number of free) {
    const next = leastLoaded(hands, seats)
    if (next !== undefined) give(next, number)
  }
  return new Map(Array.from(hands, ([memberId, numbers]) => [memberId, numbers.toSorted((left, right) => left - right)]))
}

/** C2. */
const leastLoaded = (hands: ReadonlyMap<string, readonly number[]>, seats: ReadonlyMap<string, Seat>): string | undefined => {
  let best: { memberId: string; size: number; total: number } | undefined
  for (const [memberId, { length: size }] of hands) {
    const total = seats.get(memberId)?.total ?? 0
    if (best === undefined || size < best.size || (size === best.size && total < best.total)) best = { memberId, size, total }
  }
  return best?.memberId
}

/** What a member tells the leader: `6:0,3;3:1`. */
export const encodeOwned = (assigned: readonly TopicPartitions[], countOf: (topic: string) => number): Buffer => {
  const owned = new Map<number, Set<number>>()
  for (const { topic, partitions } of assigned) {
    const count = countOf(topic)
    const numbers = owned.get(count) ?? new Set<number>()
    for (const partition of partitions) numbers.add(partition)
    owned.set(count, numbers)
  }
  return Buffer.from(Array.from(owned, ([count, numbers]) => `${count}:${[...numbers].join(',')}`).join(';'))
}

/** What can be read of it: a hint, which may come from anybody. */
export const decodeOwned = (data: Buffer | null | undefined): Owned => {
  const parts = (data?.toString() ?? '').split(';').flatMap((part): [number, readonly number[]][] => {
    const [, count, numbers] = /^(\d{1,6}):(\d{1,6}(?:,\d{1,6})*)$/.exec(part) ?? []
    if (count === undefined || numbers === undefined) return []
    const known = [...new Set(numbers.split(',').map(Number))].filter((number) => number < Number(count))
    return [[Number(count), known.toSorted((left, right) => left - right)]]
  })
  return new Map(parts)
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
