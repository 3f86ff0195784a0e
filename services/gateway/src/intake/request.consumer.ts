// Requests from the public topic. What a stranger may send must never stop a partition.
//   G5. A request that cannot be understood is answered with `run.rejected`, its bytes go to the dead letters, the partition goes on.
import { Controller, Inject } from '@nestjs/common'
import type { BusRecord, Settlement } from '@baton/bus/bus'
import { decodeRequest, Fault, isRetryable, toFault, TOPICS } from '@baton/contracts'
import { dependencyWait, HandleTopic, PLATFORM, type LaneContext, type Platform } from '@baton/service'
import { INTAKE } from '../tokens.ts'
import type { Intake } from './intake.ts'
import { rejectionRecord } from './rejection.ts'

@Controller()
export class RequestConsumer {
  readonly #platform: Platform
  readonly #intake: Intake

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(INTAKE) intake: Intake) {
    this.#platform = platform
    this.#intake = intake
  }

  @HandleTopic(TOPICS.requests)
  async take(record: BusRecord, { delivery }: LaneContext): Promise<Settlement> {
    try {
      await this.#accept(record)
      this.#count('accepted')
      return { outcome: 'ack' }
    } catch (error) {
      const fault = toFault(error)
      // A dependency that is down is waited for; for anything else the caller hears of it when the last try failed too.
      if (dependencyWait(fault.code, this.#platform.nowMs()) !== undefined || (isRetryable(fault.code) && !delivery.lastAttempt))
        throw fault
      await this.#platform.bus.publish([rejectionRecord(record, fault.data)]) // G5
      this.#count('rejected')
      this.#platform.telemetry.logger.warn(
        { code: fault.code, reason: fault.message, partition: record.partition, offset: record.offset },
        'request rejected',
      )
      return { outcome: 'reject', fault: fault.data, cause: error }
    }
  }

  async #accept(record: BusRecord): Promise<void> {
    const { requestBytesMax } = this.#platform.config
    if (record.value.length > requestBytesMax) {
      throw new Fault('request.too_large', `the request has ${record.value.length} bytes, at most ${requestBytesMax} are taken`, {
        field: '(root)',
        bytes: record.value.length,
        bytesMax: requestBytesMax,
      })
    }
    await this.#intake.accept({ ...decodeRequest(record), requestedAtMs: record.timestampMs, traceparent: record.headers['traceparent'] })
  }

  #count(outcome: string): void {
    this.#platform.telemetry.metrics.count('baton_requests_total', { via: 'topic', outcome })
  }
}
