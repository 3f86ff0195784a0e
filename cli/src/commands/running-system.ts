import { readEnvironment } from '@baton/service/config'
import { openApi, type Api } from '../api.ts'

/** The running system that commands talk to. Apart from the rest, so that commands on files load no client. */
export const runningSystem = (): Api => openApi(readEnvironment(process.env).url)
