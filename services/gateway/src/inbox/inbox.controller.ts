// The inbox page: three files, the same for everybody; what it shows comes from the API.
//   X1. Scripts, styles and connections come from here and nowhere else, and no other page shows it in a frame.
import { Controller, Get, Res } from '@nestjs/common'
import { INBOX_PAGE } from './inbox-page.ts'
import { INBOX_SCRIPT } from './inbox-script.ts'
import { INBOX_STYLE } from './inbox-style.ts'

type Reply = { header(name: string, value: string): Reply; send(body: string): unknown }

const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

const give = (reply: Reply, type: string, body: string): unknown =>
  reply
    .header('content-type', `${type}; charset=utf-8`)
    .header('content-security-policy', POLICY) // X1
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(body)

@Controller('inbox')
export class InboxController {
  @Get()
  page(@Res() reply: Reply): unknown {
    return give(reply, 'text/html', INBOX_PAGE)
  }

  @Get('app.js')
  script(@Res() reply: Reply): unknown {
    return give(reply, 'text/javascript', INBOX_SCRIPT)
  }

  @Get('style.css')
  style(@Res() reply: Reply): unknown {
    return give(reply, 'text/css', INBOX_STYLE)
  }
}
