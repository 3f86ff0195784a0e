export type * from './bus.ts'
export { openEmbeddedBus, type EmbeddedBus, type EmbeddedBusOptions } from './embedded/embedded-bus.ts'
export { decodeFailure, HEADER, type FailureRecord } from './lanes/failure-record.ts'
export { deferTopic, nextHop } from './lanes/retry-ladder.policy.ts'
