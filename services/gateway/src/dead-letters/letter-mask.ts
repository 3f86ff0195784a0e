import { redactText } from '@baton/service'

const SECRET_HEADER = /(?:^|[-_.])(?:authorization|cookie|token|secret|password|signature|(?:api|access|private)[-_]?key)$/i
/** Headers of the protocol, whose ids must not be taken for card or phone numbers. */
const PLAIN = /^(?:ce_.*|traceparent|tracestate|content-type|x-redrive-.*)$/i

/** Headers as they may be shown. */
export const maskHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (SECRET_HEADER.test(name)) return [name, '[secret]']
      return [name, PLAIN.test(name) ? value : redactText(value)]
    }),
  )
