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
export { start } from './models.service.ts'
