import type { JsonObject } from '@baton/contracts/json'

/** Literals with units, and expressions. */
export const literalDefinitions: JsonObject = {
  duration: {
    type: 'string',
    pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
    examples: ['500ms', '5s', '120m', '2h', '7d'],
    description: 'a time with its unit',
  },
  money: { type: 'string', pattern: '^\\d+(\\.\\d{1,6})? USD$', examples: ['0.05 USD'], description: 'an amount of money' },
  share: {
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1 },
      { type: 'string', pattern: '^\\d+(\\.\\d{1,6})?%$' },
    ],
    examples: ['80%', 0.8],
    description: 'a part of one; 80% is the number 0.8',
  },
  amount: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^\\d+(\\.\\d{1,6})?(k|M)?$' },
    ],
    examples: [800, '20k', '1M'],
    description: 'a whole number; k is a thousand, M a million',
  },
  expression: {
    type: 'string',
    pattern: '^=',
    examples: ['=input.text', '=docs.items'],
    description: 'a CEL expression, marked with "="',
  },
  condition: {
    type: ['string', 'boolean'],
    examples: ['it.confidence >= params.send', 'classify.intent == "refund"'],
    description: 'a CEL expression that is true or false; it needs no "="',
  },
}
