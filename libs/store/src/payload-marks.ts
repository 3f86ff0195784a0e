// Which payloads runs refer to. A reference holds the SHA-256 as text, so it is found in the text of a run without reading the rest.

/**
 * Common table expressions that touch the payloads which the runs of `source` (tenant, body) refer to. What was touched within the last
 * day is left alone; what somebody else has locked is being touched by them.
 */
export const touchPayloads = (source: string): string => `refs as (
  select distinct s.tenant, m[1] as sha256 from ${source} s, regexp_matches(s.body, '([0-9a-f]{64})', 'g') as m
  where strpos(s.body, 'sha256') > 0
), stale as (
  select p.tenant, p.sha256 from payloads p join refs using (tenant, sha256)
  where p.touched_at < now() - interval '1 day'
  for update of p skip locked
), touched as (
  update payloads p set touched_at = now() from stale where p.tenant = stale.tenant and p.sha256 = stale.sha256
)`
