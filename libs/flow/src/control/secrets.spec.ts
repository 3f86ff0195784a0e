import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createReport } from '../diagnostic.ts'
import { checkSecrets } from './secrets.ts'

const found = (text: string): readonly string[] => {
  const report = createReport()
  checkSecrets(new Map([['f.yaml', text]]), report)
  return report.list().map(({ line, column, code, message }) => `${line}:${column} ${code} ${/like (.*);/.exec(message)?.[1] ?? ''}`)
}

/** Looks random and is put together here, so that no scanner takes this file for a leak. */
const random = (length: number): string => 'q7Zk2Vx9Lm4Rt8Wb3Nc6Hd1Fs5Gj0Pa7Ye2Uo9Ti4Qx8Kz3Mv6Bn1Cl5Dw0'.slice(0, length)

describe('a secret in a file', () => {
  it.each([
    ['an OpenAI key', `steps:\n  - a: { tool: x, with: { key: sk-${random(40)} } }\n`, '2:32 secret.found an OpenAI key'],
    ['an OpenAI project key', `a: sk-proj-${random(48)}\n`, '1:4 secret.found an OpenAI key'],
    ['an Anthropic key', `a: sk-ant-api03-${random(40)}\n`, '1:4 secret.found an Anthropic key'],
    ['an AWS key', `a: "AKIA${random(16).toUpperCase()}"\n`, '1:5 secret.found an AWS access key'],
    ['a GitHub token', `# ghp_${random(36)}\na: hi\n`, '1:3 secret.found a GitHub token'],
    ['a Slack token', `a: xoxb-1234567890-${random(24)}\n`, '1:4 secret.found a Slack token'],
    ['a private key', 'a: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIE\n', '2:3 secret.found a private key'],
    ['a JSON Web Token', `a: eyJ${random(20)}.eyJ${random(30)}.${random(30)}\n`, '1:4 secret.found a JSON Web Token'],
    ['a bearer token in a prompt', `Call it with Authorization: Bearer ${random(32)}\n`, '1:29 secret.found a bearer token'],
    ['a password in a URL', 'a: postgres://baton:s3cr3tPw@db.internal/x\n', '1:4 secret.found a password in a URL'],
    ['random text under apiKey', `with: { apiKey: ${random(24)} }\n`, '1:17 secret.found a secret under "apiKey"'],
    ['random text under a quoted key', `{ "client_secret": "${random(24)}" }\n`, '1:21 secret.found a secret under "client_secret"'],
    ['a password', 'password: "Tr0ub4dor&3xyzW"\n', '1:12 secret.found a secret under "password"'],
  ])('%s', (_title, text, expected) => {
    expect(found(text)).toEqual([expected])
  })

  it.each([
    ['a placeholder', 'a: sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n'],
    ['an expression', 'with: { token: =input.token_2_of_3_abc }\n'],
    ['a slot', 'Authorization: Bearer {{ input.token }} please and thank you\n'],
    ['a type', 'input: { password: string, token: string?, apiKey: { type: string } }\n'],
    ['a limit of tokens', 'limits: { tokens: 20k, cost: 0.05 USD }\n'],
    ['words', 'password: ask-the-customer-for-it\ntoken: support/customer-support@1.0.0\n'],
    ['a URL without a password', 'a: https://example.org:8443/path@1\n'],
    ['a name of an environment variable', 'apiKey: $OPENAI_API_KEY_2\nsecret: env.MY_SECRET_KEY_1\n'],
    ['prose', 'Never ask for a password: customers must not send 1 or 2 secrets to us.\n'],
    ['a skill', 'a: task-force-of-the-month-and-more-words\n'],
  ])('but not %s', (_title, text) => {
    expect(found(text)).toEqual([])
  })

  it('K1: the message does not hold the secret', () => {
    const report = createReport()
    checkSecrets(new Map([['prompts/a@1.md', `Use sk-${random(40)}`]]), report)
    expect(JSON.stringify(report.list())).not.toContain(random(12))
    expect(report.list()[0]).toMatchObject({ file: 'prompts/a@1.md', line: 1, column: 5 })
    expect(report.list()[0]?.fix).toContain('revoke')
  })

  it('K2: of a large file only the beginning is looked at', () => {
    const secret = `sk-${random(40)}`
    expect(found(`${'lorem ipsum '.repeat(90_000)}${secret}`)).toEqual([])
    expect(found(`${'lorem ipsum '.repeat(80_000)}${secret}`)).toHaveLength(1)
  })

  it('K3: text without chance in it is no secret, whatever stands before it', () => {
    fc.assert(
      fc.property(fc.constantFrom('a', 'ab', 'x-'), fc.constantFrom('sk-', 'ghp_', 'Bearer ', 'token: '), (unit, prefix) => {
        expect(found(prefix + unit.repeat(40))).toEqual([])
      }),
    )
  })
})
