import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { Cluster, ConsumerGroup } from './cluster.ts'
import { GroupMember } from './group-member.ts'
import { KafkaSession } from './session.ts'

const SESSION_MS = 60

/** A coordinator whose answers can be held back. */
const coordinator = () => {
  let held: Promise<void> = Promise.resolve()
  let release = (): void => undefined
  const group: ConsumerGroup = {
    join: async () => [{ topic: 'work', partition: 0, position: 0 }],
    heartbeat: () => held,
    commitOffsets: async () => undefined,
    leave: async () => undefined,
    forget: () => undefined,
  }
  // Only what a member asks of its cluster.
  const cluster = { group: () => group, addMultipleTargetTopics: async () => undefined } as unknown as Cluster
  return {
    session: new KafkaSession(cluster),
    hold: () => {
      held = new Promise((resolve) => (release = resolve))
    },
    release: () => {
      held = Promise.resolve()
      release()
    },
  }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5)
}

describe('a member of a group', () => {
  it('K5: that has heard nothing for a session does not count as one, until the group has answered a question of this time', async () => {
    const { session, hold, release } = coordinator()
    let heard = 0
    const member = new GroupMember({
      session,
      groupId: 'g',
      topics: ['work'],
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 5,
      rebalanceTimeoutMs: SESSION_MS,
      onAssigned: () => undefined,
      beforeRejoin: async () => undefined,
      onHeard: () => (heard += 1),
    })
    expect(member.isHeard()).toBe(false)
    await member.start()
    expect([member.isHeard(), heard]).toEqual([true, 1])
    hold()
    await until(() => !member.isHeard())
    release()
    await until(() => member.isHeard())
    expect(heard).toBeGreaterThan(1)
    await member.close()
  })
})
