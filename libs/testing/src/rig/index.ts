// A replay of providers, for tests, demos, proofs and measurements. A project of its own needs nothing but Node.
export { drawn, type FaultRule, type RigFault } from './faults.policy.ts'
export { PACE, readRecordings, TURN, type RecordedCall, type Recording } from './recording.ts'
export { startRig, type Rig, type RigOptions } from './rig.ts'
export { CELL_MS, type RigStats } from './rig-stats.ts'
