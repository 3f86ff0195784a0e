import { z } from 'zod'
import { SERVICES } from '@baton/contracts'

const Service = z.enum(SERVICES)

/** Which dead letters to send back: those at the offsets named, or all. */
export const RedriveBody = z.looseObject({
  service: Service,
  offsets: z.array(z.int().nonnegative()).max(10_000).optional(),
  all: z.boolean().optional(),
  dryRun: z.boolean().optional().meta({ description: 'Only say what would be sent' }),
  ratePerSecond: z.number().positive().max(10_000).optional(),
})
export type RedriveBody = z.infer<typeof RedriveBody>
