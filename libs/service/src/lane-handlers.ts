// How a controller method says which messages it takes. Nest keeps the policy beside the handler and hands it to the lane server.
import { Ctx, EventPattern, Payload } from '@nestjs/microservices'
import type { RetryException, RetryPolicy } from '@baton/bus/bus'
import { CONTRACTS, type ContractName } from '@baton/contracts'

/** Marks transports of ours, so that handlers of other transports in the same application are left alone. */
export const LANES = Symbol('baton lanes')

export type LanePolicy = {
  /** Consumer group; default the service's name. Handlers of one group share one consumer and its policy. */
  readonly group?: string
  readonly retry?: RetryPolicy
  /** What the messages of this handler do otherwise than the policy of their group. */
  readonly tries?: RetryException
  readonly concurrencyMax?: number
  readonly pendingMax?: number
  readonly tenantRunningMax?: number
  readonly tenantWeight?: (tenant: string) => number
}

/** What travels with a handler from its decorator to the lane server. */
export type LaneExtras = LanePolicy & { readonly topics: readonly string[]; readonly contract?: ContractName }

/** Nest's pattern of a contract and of a topic. */
export const contractPattern = (name: ContractName): string => name
export const topicPattern = (topic: string): string => `topic:${topic}`

const handle =
  (pattern: string, extras: LaneExtras): MethodDecorator =>
  (target, key, descriptor) => {
    Payload()(target, key, 0)
    Ctx()(target, key, 1)
    EventPattern<string>(pattern, LANES, { lane: extras })(target, key, descriptor)
  }

/** The method takes the messages of a contract from all topics the contract travels on: `method(record, context)`. */
export const HandleCommand = (contract: ContractName, policy: LanePolicy = {}): MethodDecorator =>
  handle(contractPattern(contract), { ...policy, contract, topics: CONTRACTS[contract].topics })

/** The method takes whatever is on a topic and no other method takes by contract: `method(record, context)`. */
export const HandleTopic = (topic: string, policy: LanePolicy = {}): MethodDecorator =>
  handle(topicPattern(topic), { ...policy, topics: [topic] })
