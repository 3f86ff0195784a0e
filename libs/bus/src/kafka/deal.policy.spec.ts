import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { dealPartitions, decodeOwned, encodeOwned } from './deal.policy.ts'
import type { GroupCandidate, Owned, TopicPartitions } from './deal.policy.ts'

const NOTHING: Owned = new Map()
const topic = (name: string, count: number): TopicPartitions => ({ topic: name, partitions: Array.from({ length: count }, (_, n) => n) })
const TOPICS = [topic('work', 6), topic('high', 2), topic('bulk', 2), ...[1, 2, 3, 4, 5].map((n) => topic(`retry${n}`, 3))]
const names = (topics: readonly TopicPartitions[]): readonly string[] => topics.map((one) => one.topic)
const member = (memberId: string, owned: Owned = NOTHING, topics = names(TOPICS)): GroupCandidate => ({ memberId, topics, owned })
const places = (dealt: ReturnType<typeof dealPartitions>): ReadonlyMap<string, string> =>
  new Map(
    Array.from(dealt, ([id, got]) =>
      got.flatMap((one) => one.partitions.map((partition): [string, string] => [`${one.topic}/${partition}`, id])),
    ).flat(),
  )
const countOf = (name: string): number => TOPICS.find((one) => one.topic === name)?.partitions.length ?? 0
/** The same members a moment later, each with what it has. */
const withHands = (dealt: ReturnType<typeof dealPartitions>): readonly GroupCandidate[] =>
  Array.from(dealt, ([id, got]) => member(id, decodeOwned(encodeOwned(got, countOf))))

const anyMembers = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 9 })
const anyOwned = fc
  .dictionary(fc.constantFrom('2', '3', '6', '7'), fc.uniqueArray(fc.nat(8), { maxLength: 6 }))
  .map((hint): Owned => new Map(Object.entries(hint).map(([count, numbers]) => [Number(count), numbers])))

describe('partitions of a group', () => {
  it('are dealt out once each, whatever members say they have', () => {
    fc.assert(
      fc.property(anyMembers, fc.infiniteStream(anyOwned), (ids, hints) => {
        const dealt = dealPartitions(
          ids.map((id) => member(id, hints.next().value)),
          TOPICS,
        )
        const all = [...dealt.values()].flatMap((got) => got.flatMap((one) => one.partitions.map((number) => `${one.topic}/${number}`)))
        expect(all.toSorted()).toEqual(TOPICS.flatMap((one) => one.partitions.map((number) => `${one.topic}/${number}`)).toSorted())
      }),
    )
  })

  it('C1: of topics with as many partitions go to one member by their number', () => {
    fc.assert(
      fc.property(anyMembers, fc.infiniteStream(anyOwned), (ids, hints) => {
        const at = places(
          dealPartitions(
            ids.map((id) => member(id, hints.next().value)),
            TOPICS,
          ),
        )
        for (const number of [0, 1]) expect(at.get(`high/${number}`)).toBe(at.get(`bulk/${number}`))
        for (const number of [0, 1, 2])
          expect(new Set([1, 2, 3, 4, 5].map((n) => at.get(`retry${n}/${number}`)))).toEqual(new Set([at.get(`retry1/${number}`)]))
      }),
    )
  })

  it('C2: are shared evenly, topic by topic', () => {
    fc.assert(
      fc.property(anyMembers, fc.infiniteStream(anyOwned), (ids, hints) => {
        const dealt = dealPartitions(
          ids.map((id) => member(id, hints.next().value)),
          TOPICS,
        )
        for (const { topic: name, partitions } of TOPICS) {
          const sizes = [...dealt.values()].map((got) => got.find((one) => one.topic === name)?.partitions.length ?? 0)
          expect(Math.max(...sizes)).toBe(Math.ceil(partitions.length / ids.length))
          expect(Math.min(...sizes)).toBe(Math.floor(partitions.length / ids.length))
        }
      }),
    )
  })

  it('C3: stay where they are while nobody comes or goes', () => {
    fc.assert(
      fc.property(anyMembers, (ids) => {
        const before = dealPartitions(
          ids.map((id) => member(id)),
          TOPICS,
        )
        expect(places(dealPartitions(withHands(before), TOPICS))).toEqual(places(before))
      }),
    )
  })

  it('C3: move only to a member that comes, and only from one that goes', () => {
    const two = dealPartitions([member('a'), member('b')], TOPICS)
    const three = dealPartitions([...withHands(two), member('0')], TOPICS)
    const moved = [...places(three)].filter(([partition, id]) => places(two).get(partition) !== id)
    expect(moved.every(([, id]) => id === '0')).toBe(true)
    expect(moved.filter(([partition]) => partition.startsWith('work/'))).toHaveLength(2)
    const left = dealPartitions(
      withHands(three).filter(({ memberId }) => memberId !== 'a'),
      TOPICS,
    )
    const stayed = [...places(three)].filter(([, id]) => id !== 'a')
    expect(stayed.map(([partition]) => places(left).get(partition))).toEqual(stayed.map(([, id]) => id))
  })

  it('C4: of a topic that only one member reads are its own', () => {
    const dealt = dealPartitions(
      [member('old', NOTHING, ['work']), member('new', NOTHING, ['work', 'more'])],
      [...TOPICS, topic('more', 6)],
    )
    expect(dealt.get('old')?.map((one) => one.topic)).toEqual(['work'])
    expect(dealt.get('new')?.find((one) => one.topic === 'more')?.partitions).toHaveLength(6)
  })

  it('are told by members in a form that anybody may have written', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeOwned(Buffer.from(text))))
    expect(decodeOwned(Buffer.from('6:0,3;3:1;nonsense;2:9'))).toEqual(
      new Map([
        [6, [0, 3]],
        [3, [1]],
        [2, []],
      ]),
    )
    expect(decodeOwned(null)).toEqual(NOTHING)
  })
})
