export {
  calibrated,
  fitIsotonic,
  fitPlatt,
  readCalibrator,
  type Calibrator,
  type IsotonicCalibrator,
  type Outcome,
  type PlattCalibrator,
} from './calibration.policy.ts'
export { chooseCalibration, type CalibrationChoice, type CalibrationTrial, type CalibrationWay } from './choose.policy.ts'
export {
  brierScore,
  expectedCalibrationError,
  logLoss,
  reliability,
  type BinOptions,
  type Judged,
  type ReliabilityBin,
} from './reliability.policy.ts'
