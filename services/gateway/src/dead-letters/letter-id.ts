import { Fault, SERVICES, type ServiceName } from '@baton/contracts'

/** Where a letter lies: dead-letter topics have one partition. */
export type LetterPlace = { readonly service: ServiceName; readonly offset: number }

export const serviceOf = (name: string): ServiceName => {
  const service = SERVICES.find((known) => known === name)
  if (service === undefined) throw new Fault('request.malformed', `service must be one of ${SERVICES.join(', ')}`, { field: 'service' })
  return service
}

/** `tools-17`. */
export const letterId = ({ service, offset }: LetterPlace): string => `${service}-${offset}`

/** Takes `tools-17` and `tools/17`. Throws `request.malformed` for anything else. */
export const parseLetterId = (id: string): LetterPlace => {
  const [, service, offset] = /^([a-z]+)[-/](\d{1,15})$/.exec(id) ?? []
  if (service === undefined) throw new Fault('request.malformed', `${id.slice(0, 80)}: an id is written like tools-17`, { field: 'id' })
  return { service: serviceOf(service), offset: Number(offset) }
}
