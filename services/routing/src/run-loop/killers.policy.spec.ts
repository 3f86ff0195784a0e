import { describe, expect, it } from '@jest/globals'
import { afterCrash, cautionOf, REACH, wayOf } from './killers.policy.ts'

const lease = (crashCount: number, suspectOffset: number | null = null, next = 100) => ({ next, suspectOffset, crashCount })
const END = 1_000

describe('killers', () => {
  it('take care of nothing after an ordinary end', () => {
    expect(cautionOf(lease(0), END)).toBeNull()
    expect(wayOf(null, 100)).toEqual({ way: 'freely', until: Infinity })
  })

  it('after one crash ask for a commit within reach, so that the next crash tells where the killer must be', () => {
    const caution = cautionOf(lease(1), END)
    expect(wayOf(caution, 100)).toEqual({ way: 'freely', until: 100 + REACH })
    expect(wayOf(caution, 100 + REACH).until).toBe(Infinity)
  })

  it('K1: after two crashes without progress records are applied alone', () => {
    const caution = cautionOf(lease(2), END)
    expect(wayOf(caution, 100)).toEqual({ way: 'alone', until: 101 })
    expect(wayOf(caution, 101)).toEqual({ way: 'alone', until: 102 })
  })

  it('K2: a record is passed over after two crashes of its own, not after one', () => {
    expect(wayOf(cautionOf(lease(3, 104), END), 104)).toEqual({ way: 'alone', until: 105 })
    expect(wayOf(cautionOf(lease(4, 104), END), 104)).toEqual({ way: 'passed over', until: 105 })
    expect(wayOf(cautionOf(lease(4, 104), END), 103)).toEqual({ way: 'freely', until: 104 })
  })

  it('K2: a suspect behind the position is none, however often owners crashed', () => {
    expect(wayOf(cautionOf(lease(7, 99), END), 100).way).toBe('alone')
  })

  it('K3: suspicion ends at the end of the log as it was found, or where the crashed owners cannot have been', () => {
    expect(wayOf(cautionOf(lease(2), 103), 103).way).toBe('freely')
    expect(wayOf(cautionOf(lease(2), END), 100 + REACH).way).toBe('freely')
  })

  it('K3: an owner that died with nothing to apply was not killed by a record', () => {
    expect(cautionOf(lease(5), 100)).toBeNull()
  })

  it('K2: a record that throws in this process is known at once, and passed over at its second crash', () => {
    const first = afterCrash(lease(0), { offset: 104, certain: false })
    expect(wayOf(cautionOf({ next: 100, suspectOffset: first.offset, crashCount: first.crashCount }, END), 104).way).toBe('alone')
    const second = afterCrash({ next: 100, suspectOffset: first.offset, crashCount: first.crashCount }, { offset: 104, certain: false })
    expect(wayOf(cautionOf({ next: 104, suspectOffset: second.offset, crashCount: second.crashCount }, END), 104).way).toBe('passed over')
  })

  it('K2: another record that throws begins its own count', () => {
    expect(afterCrash(lease(3, 104), { offset: 103, certain: false })).toEqual({ offset: 103, crashCount: 3 })
  })

  it('K1: what failed among many is looked for one at a time; what no bus will ever take needs no second try', () => {
    expect(afterCrash(lease(0), { offset: null, certain: false })).toEqual({ offset: null, crashCount: 1 })
    expect(afterCrash(lease(1), { offset: null, certain: false })).toEqual({ offset: null, crashCount: 2 })
    expect(afterCrash(lease(0), { offset: null, certain: true })).toEqual({ offset: null, crashCount: 2 })
    const { offset, crashCount } = afterCrash(lease(0), { offset: 104, certain: true })
    expect(wayOf(cautionOf({ next: 100, suspectOffset: offset, crashCount }, END), 104).way).toBe('passed over')
  })
})
