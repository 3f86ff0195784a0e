export { main } from './main.ts'
export { cliReferenceFile } from './reference/cli-reference.ts'
export { openPlatform, type OpenedPlatform } from './platform/open-platform.ts'
export { listenForResults, type ResultListener } from './platform/results.ts'
