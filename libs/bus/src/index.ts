export type * from './bus.ts'
export { openEmbeddedBus, type EmbeddedBus, type EmbeddedBusOptions } from './embedded/embedded-bus.ts'
export { decodeFailure, encodeFailure, HEADER, type FailureRecord } from './lanes/failure-record.ts'
export { deferTopic, nextHop } from './lanes/retry-ladder.policy.ts'
