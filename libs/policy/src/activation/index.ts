export * from './activation.policy.ts'
export * from './proposal.policy.ts'
