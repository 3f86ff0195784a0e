// Routes that other services answer. The gateway is the one address that people and programs need to know.
import { All, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common'
import { PLATFORM, type Platform } from '@baton/service'
import { forward, type HttpReply, type HttpRequest } from './forward.ts'

@Controller('v1')
export class ForwardController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @All(['reviews', 'reviews/:id', 'reviews/:id/*'])
  reviews(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('hitl', request, reply)
  }

  @All(['indexes', 'indexes/:name', 'indexes/:name/*', 'tools', 'tools/:name', 'tools/*', 'tickets', 'tickets/:id'])
  tools(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('tools', request, reply)
  }

  @All(['memory/users/:user', 'memory/users/:user/:id', 'memory/sessions/:session', 'memory/sessions/:session/state/:key'])
  memory(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('models', request, reply)
  }

  @Get(['models/breakers', 'models/budgets', 'models/cache'])
  limits(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('models', request, reply)
  }

  @Post(['models/breakers::retry', 'models/budgets::forgive'])
  mend(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('models', request, reply)
  }

  @Get('stats')
  stats(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return this.#forward('tracing', request, reply)
  }

  #forward(service: string, request: HttpRequest, reply: HttpReply): Promise<void> {
    return forward(this.#platform.call, { service, request, reply })
  }
}
