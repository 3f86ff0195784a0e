export { loadCatalogue, ModelsFile, type Catalogue, type Listed } from './catalogue/catalogue.ts'
export { catalogueOfFile, checkModelsText } from './catalogue/open-catalogue.ts'
export {
  evaluateClassifier,
  trainClassifier,
  trainFromFile,
  type Evaluation,
  type TrainFileOptions,
  type TrainProgress,
  type TrainReport,
} from './classifier/train.ts'
export { askPromptTest } from './prompts/ask-prompt-test.ts'
export { diffLines, promptBreaks } from './prompts/prompt-diff.policy.ts'
export { checkPromptTest, findPromptFiles, readPromptFile, type PromptFile, type PromptTest } from './prompts/prompt-file.ts'
export { review, type Reviewed, type ReviewRequest } from './routes/review.ts'
export { readReviewCases, type ReviewCase } from './routes/review-cases.ts'
export { start } from './models.service.ts'
export { trainRouterFromFile, type RouterReport, type TrainRouterOptions } from './training/train-router.ts'
export type { OutcomeRow } from './training/outcome-table.policy.ts'
export { calibrateRoute, readConfidenceRows, type CalibrationReport, type ConfidenceRow } from './tuning/calibrate.ts'
export { refuseUnknownRoute, withCalibration } from './tuning/calibration-text.ts'
export { tuneFromFile, type TuneOptions, type TuneReport } from './tuning/tune.ts'
