import { readFile } from 'node:fs/promises'
import { Controller, Get, Header } from '@nestjs/common'
import { Fault } from '@baton/contracts'
import { openApiDocument } from './openapi.ts'

/** Generated from the registry of messages; the same path from sources and from the build. */
const ASYNCAPI = new URL('../../../../docs/generated/asyncapi.json', import.meta.url)

@Controller()
export class ApiController {
  @Get('openapi.json')
  openapi(): object {
    return openApiDocument()
  }

  @Get('asyncapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  async asyncapi(): Promise<string> {
    try {
      return await readFile(ASYNCAPI, 'utf8')
    } catch (error) {
      throw new Fault('request.not_found', 'this installation has no asyncapi.json', {}, { cause: error })
    }
  }
}
