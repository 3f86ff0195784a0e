// The rule of deal.policy.ts in the form kafkajs wants it, and the one of before it: while a group has a member of an older version, or one
// of somebody else, the broker takes the rule that all of them know.
import { createRequire } from 'node:module'
import { CO_PARTITIONED, dealPartitions, decodeOwned, encodeOwned } from './deal.policy.ts'
import type { TopicPartitions } from './deal.policy.ts'

const VERSION = 0

type Metadata = { readonly topics: readonly string[]; readonly userData: Buffer | null }
type Coding = {
  readonly MemberMetadata: {
    encode(of: { version: number; topics: readonly string[]; userData: Buffer }): Buffer
    decode(data: Buffer): Metadata
  }
  readonly MemberAssignment: { encode(of: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer }
}
type Metadatas = { findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[] }

// No types are published for it; the shape is that of the pinned version.
const { MemberMetadata, MemberAssignment } = createRequire(import.meta.url)('kafkajs/src/consumer/assignerProtocol') as Coding

export type AssignerOptions = {
  readonly cluster: Metadatas
  /** What this member has at the moment it joins. */
  readonly owned: () => readonly TopicPartitions[]
}

type Joining = {
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
  readonly topics: readonly string[]
}

export const coPartitionedAssigner = ({ cluster, owned }: AssignerOptions): object => ({
  name: CO_PARTITIONED,
  version: VERSION,
  assign: async ({ members, topics }: Joining) => {
    const candidates = members.map(({ memberId, memberMetadata }) => {
      const { topics: read, userData } = MemberMetadata.decode(memberMetadata)
      return { memberId, topics: read, owned: decodeOwned(userData) }
    })
    const known = topics.map((topic) => ({
      topic,
      partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
    }))
    return Array.from(dealPartitions(candidates, known), ([memberId, dealt]) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: Object.fromEntries(dealt.map(({ topic, partitions }) => [topic, partitions])),
      }),
    }))
  },
  protocol: ({ topics }: { readonly topics: readonly string[] }) => ({
    name: CO_PARTITIONED,
    metadata: MemberMetadata.encode({
      version: VERSION,
      topics,
      userData: encodeOwned(owned(), (topic) => cluster.findTopicPartitionMetadata(topic).length),
    }),
  }),
})
