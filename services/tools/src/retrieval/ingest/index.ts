export { findFiles, readDocuments, type Found } from './read-files.ts'
export type { SourceDocument } from './source-document.ts'
