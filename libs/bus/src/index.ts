export type * from './bus.ts'
export {
  listDeadLetters,
  redriveDeadLetters,
  showDeadLetter,
  type ListOptions,
  type Redrive,
  type RedriveOptions,
} from './dead-letters/dead-letters.ts'
export type { DeadLetter, LetterAction, LetterChange, LetterPlace } from './dead-letters/letter.ts'
export { LetterBook, summaryOf, type LetterSummary } from './dead-letters/letter-book.ts'
export { IDENTITY_HEADERS, putAway, sendAgain, type LetterEdit, type Sender, type Sending } from './dead-letters/send-again.ts'
export { openEmbeddedBus, type EmbeddedBus, type EmbeddedBusOptions } from './embedded/embedded-bus.ts'
export { decodeFailure, encodeFailure, HEADER, type FailureRecord } from './lanes/failure-record.ts'
export { deferTopic, nextHop } from './lanes/retry-ladder.policy.ts'
export { inspectKafka, type InspectionOptions, type KafkaFacts, type TopicFacts } from './kafka/inspect-kafka.ts'
export type { KafkaBusOptions } from './kafka/kafka-bus.ts'
export { createKafkaTopics, openKafkaBus } from './kafka/open-kafka-bus.ts'
export { topicDrift, type TopicDifference, type TopicPlan } from './kafka/topic-drift.policy.ts'
