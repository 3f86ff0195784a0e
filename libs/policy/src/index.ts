export * from './attempt.policy.ts'
export * from './backoff.policy.ts'
