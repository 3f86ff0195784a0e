import { DEFAULT_TENANT, Fault } from '@baton/contracts'

/** Header by which the gateway names the tenant of a request. */
export const TENANT_HEADER = 'x-baton-tenant'

/** The tenant of a request; `default` where none is named. */
export const tenantOf = (header: string | undefined): string => {
  if (header === undefined || header === '') return DEFAULT_TENANT
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(header))
    throw new Fault('request.malformed', `${TENANT_HEADER}: not the name of a tenant`, { field: TENANT_HEADER })
  return header
}
