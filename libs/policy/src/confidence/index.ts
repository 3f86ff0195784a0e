export { agreementBetween, settledPair, type Agreement, type Pair, type Winner } from './agreement.policy.ts'
export { confidenceOf, fitConfidence, type ConfidenceOutcome, type RouteConfidence } from './combine.policy.ts'
export { reliabilityDiagram } from './diagram.policy.ts'
export {
  agreementOf,
  asConfidence,
  SIGNALS,
  signalsOf,
  tokenConfidence,
  type Evidence,
  type SignalName,
  type Signals,
} from './signals.policy.ts'
