export {
  bootstrapInterval,
  mean,
  pairedDifference,
  standardDeviation,
  wilsonInterval,
  type BootstrapOptions,
  type Interval,
} from './statistics.policy.ts'
