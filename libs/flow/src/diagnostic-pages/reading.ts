// Pages of what is found while a file is read.
import type { DiagnosticPage } from './page.ts'

const DEEP = `${'['.repeat(62)}1${']'.repeat(62)}`

export const READING = {
  'yaml.syntax': {
    title: 'The file is not YAML',
    about: 'The text cannot be read as one YAML or JSON document: a bracket or quote is open, a key stands twice, a tab indents a line.',
    wrong: 'steps:\n  - facts:\n      tool: kb/lookup\n      timeout: 5s\n      timeout: 6s\n',
    right: 'steps:\n  - facts:\n      tool: kb/lookup\n      timeout: 6s\n',
    fix: 'Correct the line that is named. What follows the first break of the structure is not looked at, so check again afterwards.',
    foundBy: 'compiler',
  },
  'yaml.trap': {
    title: 'YAML reads this as something else than it looks like',
    about:
      'An unquoted `!x`, `a ? b : c` or `[0]` inside braces, a comma inside braces, a leading `{{`, `: ` inside a text, or ` #`, which silently cuts a text.',
    wrong: 'input: { done: boolean }\nsteps:\n  - facts:\n      when: !input.done\n      tool: kb/lookup\n',
    right: 'input: { done: boolean }\nsteps:\n  - facts:\n      when: "!input.done"\n      tool: kb/lookup\n',
    fix: 'Put the whole value in quotes; the diagnostic shows the quoted form. A long text reads best as a block: `|`.',
    foundBy: 'compiler',
  },
  'file.missing': {
    title: 'A file is not there',
    about: 'The flow file that is asked for does not exist.',
    wrong: '',
    fix: 'Correct the path; a flow folder holds a `flow.yaml`.',
    foundBy: 'compiler',
  },
  'file.encoding': {
    title: 'The file is not UTF-8 text',
    about: 'A character could not be decoded, or the file holds control characters: it was saved in another encoding, or it is not text.',
    wrong: 'steps:\n  - facts: Zusammenfassung f\uFFFDr {{ input.text }}\n',
    right: 'steps:\n  - facts: Zusammenfassung für {{ input.text }}\n',
    fix: 'Save the file as UTF-8.',
    foundBy: 'compiler',
  },
  'flow.unknown_key': {
    title: 'There is no such key here',
    about: 'Every key has a meaning; one that has none would be a wish nobody hears.',
    wrong: 'steps:\n  - facts:\n      tool: kb/lookup\n      timout: 5s\n',
    right: 'steps:\n  - facts:\n      tool: kb/lookup\n      timeout: 5s\n',
    fix: 'Write the key that is suggested. Keys of your own belong in `labels`.',
    foundBy: 'compiler',
  },
  'flow.missing_key': {
    title: 'A key is missing',
    about: 'Without it the rest cannot be understood: a model without a prompt, a param without a default, a person without a queue.',
    wrong: 'steps:\n  - facts:\n      model: small\n      with: { text: =input.text }\n',
    right: 'steps:\n  - facts:\n      model: small\n      prompt: Extract the facts from {{ text }}\n      with: { text: =input.text }\n',
    fix: 'Add the key that is named.',
    foundBy: 'compiler',
  },
  'flow.wrong_type': {
    title: 'A value has the wrong form',
    about:
      'A list where a map belongs, a word that is none of those allowed, two kinds of work in one step, an expression without its `=`.',
    wrong: 'steps:\n  facts: Extract the facts from {{ input.text }}\n',
    right: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Write the form that is named.',
    foundBy: 'compiler',
  },
  'flow.too_large': {
    title: 'The flow is larger than a checker should read',
    about: 'A file has at most 1 MB, 20,000 values with aliases expanded, and 60 levels; a flow has at most 1,000 steps.',
    wrong: `steps:\n  - facts:\n      tool: kb/lookup\n      with:\n        deep: ${DEEP}\n`,
    right: 'steps:\n  - facts:\n      tool: kb/lookup\n      with:\n        deep: [[1]]\n',
    fix: 'Divide the flow: a part becomes a flow of its own and a step `flow: NAME`. Data belongs in the input, not in the flow.',
    foundBy: 'compiler',
  },
  'name.invalid': {
    title: 'This cannot be a name',
    about:
      'Names of steps and params are words of letters, digits and `_`, so that expressions can use them. A flow is `namespace/name@1.0.0`, with at most 200 characters before the version.',
    wrong: 'steps:\n  - get-facts: Extract the facts from {{ input.text }}\n',
    right: 'steps:\n  - get_facts: Extract the facts from {{ input.text }}\n',
    fix: 'Write the name that is suggested.',
    foundBy: 'compiler',
  },
  'name.duplicate': {
    title: 'Two steps have one name',
    about: 'A name stands for one output in the whole flow, also inside branches, gates and handlers.',
    wrong: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n  - facts: Summarise {{ input.text }}\n',
    right: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n  - summary: Summarise {{ input.text }}\n',
    fix: 'Rename one of them.',
    foundBy: 'compiler',
  },
  'name.reserved': {
    title: 'The name has a meaning already',
    about: '`input`, `params`, `run`, `it`, `fault` and words of CEL mean something in every expression.',
    wrong: 'steps:\n  - input: Extract the facts from {{ input.text }}\n',
    right: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Give the step another name.',
    foundBy: 'compiler',
  },
  'literal.duration': {
    title: 'This is not a duration',
    about: 'A duration is a number with its unit: `500ms`, `5s`, `2m`, `2h`, `7d`. A bare number would leave the unit to guessing.',
    wrong: 'limits: { time: 60 }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    right: 'limits: { time: 60s }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Add the unit.',
    foundBy: 'compiler',
  },
  'literal.money': {
    title: 'This is not an amount of money',
    about: 'An amount is a number with its currency: `0.05 USD`. Prices of models are in US dollars, so limits are too.',
    wrong: 'limits: { cost: 0.05 }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    right: 'limits: { cost: 0.05 USD }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Write the amount with `USD`.',
    foundBy: 'compiler',
  },
  'literal.range': {
    title: 'The value is out of its range',
    about: 'A number, share, size or count that is beyond what is allowed, or the default of a param outside its own bounds.',
    wrong: 'params:\n  send: { type: number, default: 80, min: 0.5, max: 1 }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    right:
      'params:\n  send: { type: number, default: 80%, min: 0.5, max: 1 }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Choose a value inside the range; a share is a number from 0 to 1, or a percentage.',
    foundBy: 'compiler',
  },
} as const satisfies { readonly [code: string]: DiagnosticPage }
