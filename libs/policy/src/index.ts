export * from './attempt.policy.ts'
export * from './backoff.policy.ts'
export * from './text-features.policy.ts'
export * from './seeded-random.policy.ts'
