import { describe, expect, it } from '@jest/globals'
import { InboxController } from './inbox.controller.ts'

describe('the inbox page', () => {
  const given = (serve: (reply: Parameters<InboxController['page']>[0]) => unknown) => {
    const headers: Record<string, string> = {}
    const reply = {
      body: '',
      header(name: string, value: string) {
        headers[name] = value
        return reply
      },
      send(body: string) {
        reply.body = body
      },
    }
    serve(reply)
    return { headers, body: reply.body }
  }
  const page = new InboxController()

  it('X1: loads nothing from elsewhere, and no other page may show it', () => {
    for (const { headers } of [
      given((reply) => page.page(reply)),
      given((reply) => page.script(reply)),
      given((reply) => page.style(reply)),
    ])
      expect(headers['content-security-policy']).toMatch(/default-src 'self';.*frame-ancestors 'none'/)
    const { body } = given((reply) => page.page(reply))
    expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(body).not.toMatch(/<script(?![^>]*src)|style="|onclick=/)
  })
})
