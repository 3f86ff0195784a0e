// Pages of names that lead nowhere.
import type { DiagnosticPage } from './page.ts'

export const NAMES = {
  'reference.unknown': {
    title: 'There is nothing of this name',
    about: 'An expression or a slot of a prompt names a step, a field of the input or a param that the flow does not have.',
    wrong: 'input: { text: string }\nsteps:\n  - log: { tool: ops/log, with: { text: =input.txt } }\n',
    right: 'input: { text: string }\nsteps:\n  - log: { tool: ops/log, with: { text: =input.text } }\n',
    fix: 'Write the name that is suggested, or declare it in `input` or `params`.',
    foundBy: 'compiler',
  },
  'reference.later': {
    title: 'The step has no output here',
    about: 'It comes later, stands in another branch, or is the step itself. Inside the gate of a step its output is called `it`.',
    wrong: 'steps:\n  - log: { tool: ops/log, with: { facts: =facts } }\n  - facts: Extract the facts from {{ input.text }}\n',
    right: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n  - log: { tool: ops/log, with: { facts: =facts } }\n',
    fix: 'Move the step, or use the output of the block that the other step is in.',
    foundBy: 'compiler',
  },
  'prompt.unknown': {
    title: 'There is no such prompt',
    about: '`prompt: NAME@N` is the file `prompts/NAME@N.md`, beside the flow or at the root of the project.',
    wrong: 'steps:\n  - facts:\n      prompt: extract@1\n      with: { text: =input.text }\n',
    right:
      'prompts:\n  extract: Extract the facts from {{ text }}\nsteps:\n  - facts:\n      prompt: extract\n      with: { text: =input.text }\n',
    fix: 'Correct the name or the version, make the file, or write the prompt under `prompts`.',
    foundBy: 'compiler',
  },
  'prompt.malformed': {
    title: 'The prompt cannot be read',
    about: 'A slot is not closed, holds more than a path, or the prompt is empty.',
    wrong: 'steps:\n  - facts: Extract the facts from {{ input.text\n',
    right: 'steps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'A slot is `{{ name.field }}`; what is computed belongs in `with`.',
    foundBy: 'compiler',
  },
  'prompt.slot_unknown': {
    title: 'The prompt asks for something it is not given',
    about:
      'With `with`, the slots of a prompt are its keys and nothing else, so that a prompt can be used in several steps. The prompt with which an agent checks itself has the answer, as `it`, and what the agent is asked with.',
    wrong: 'steps:\n  - facts:\n      prompt: Extract the facts from {{ txt }}\n      with: { text: =input.text }\n',
    right: 'steps:\n  - facts:\n      prompt: Extract the facts from {{ text }}\n      with: { text: =input.text }\n',
    fix: 'Add the key to `with`, or correct the slot.',
    foundBy: 'compiler',
  },
  'schema.unknown': {
    title: 'There is no such schema',
    about: '`NAME@N` is the file `schemas/NAME@N.json` or `.yaml`, beside the flow or at the root of the project.',
    wrong: 'steps:\n  - facts:\n      prompt: Extract the facts from {{ input.text }}\n      returns: facts@1\n',
    right:
      'schemas:\n  facts: { amount: number }\nsteps:\n  - facts:\n      prompt: Extract the facts from {{ input.text }}\n      returns: facts\n',
    fix: 'Correct the name or the version, make the file, or write the schema under `schemas` or in place.',
    foundBy: 'compiler',
  },
  'schema.invalid': {
    title: 'This is not a schema',
    about: 'A type that does not exist, or a keyword of JSON Schema with a value it cannot have.',
    wrong: 'input: { text: strng }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    right: 'input: { text: string }\nsteps:\n  - facts: Extract the facts from {{ input.text }}\n',
    fix: 'Use a short type (`string`, `number`, `a | b`, `0..1`, `string[]`, `image`) or JSON Schema.',
    foundBy: 'compiler',
  },
  'expression.syntax': {
    title: 'The expression cannot be read',
    about: 'It is not CEL: something is missing, or too much.',
    wrong: 'input: { amount: number }\nsteps:\n  - facts:\n      when: input.amount >\n      tool: kb/lookup\n',
    right: 'input: { amount: number }\nsteps:\n  - facts:\n      when: input.amount > 100\n      tool: kb/lookup\n',
    fix: 'Correct it where the diagnostic points.',
    foundBy: 'compiler',
  },
  'expression.invalid': {
    title: 'The expression means nothing',
    about: 'It can be read, and cannot be evaluated: an unknown function, constants of types that do not go together.',
    wrong: 'input: { text: string }\nsteps:\n  - log: { tool: ops/log, with: { text: =uppercase(input.text) } }\n',
    right: 'input: { text: string }\nsteps:\n  - log: { tool: ops/log, with: { text: =input.text } }\n',
    fix: 'Use what CEL has: operators, `size`, `has`, `in`, `contains`, `startsWith`, `matches`, `all`, `exists`, `filter`, `map`.',
    foundBy: 'compiler',
  },
  'tool.unknown': {
    title: 'There is no such tool',
    about: 'Found when the checker is told which tools the system has.',
    wrong: 'steps:\n  - facts:\n      tool: desk/lookp\n      with: { text: =input.text }\n',
    fix: 'Write the tool that is suggested, or register it.',
    foundBy: 'inventory',
  },
  'tool.elsewhere': {
    title: 'No tool of this namespace is here',
    about: 'A warning, where the checker is told which tools the system has: whoever runs the flow must provide the tool.',
    wrong: 'steps:\n  - facts:\n      tool: warehouse/stock\n      with: { text: =input.text }\n',
    fix: 'Put the tool into the folder `tools` of the flow, or check the flow where it will run.',
    foundBy: 'inventory',
  },
  'route.unknown': {
    title: 'There is no such route or model',
    about: 'Found when the checker is told which routes and models the system has.',
    wrong: 'steps:\n  - facts:\n      model: smal\n      prompt: Extract the facts from {{ input.text }}\n',
    fix: 'Write the route that is suggested, or configure it.',
    foundBy: 'inventory',
  },
  'agent.unknown': {
    title: 'There is no such agent',
    about: 'A step, a team, a handoff or a fallback names an agent that is neither in `agents` nor a file `agents/NAME@N.yaml`.',
    wrong:
      'agents:\n  helper: { model: small, prompt: "Help with {{ text }}", limits: { turns: 3, calls: 5 } }\nsteps:\n  - help: { agent: helpr, with: { text: =input.text } }\n',
    right:
      'agents:\n  helper: { model: small, prompt: "Help with {{ text }}", limits: { turns: 3, calls: 5 } }\nsteps:\n  - help: { agent: helper, with: { text: =input.text } }\n',
    fix: 'Write the agent that is suggested, or declare it.',
    foundBy: 'compiler',
  },
  'buffer.unknown': {
    title: 'There is no such buffer',
    about: 'What is written or read as a shared buffer must stand in `buffers`, with its schema and its expiry.',
    wrong:
      'buffers:\n  notes: { of: string, expires: 10m, items: 10 }\nsteps:\n  - facts: { prompt: "Extract the facts from {{ input.text }}", writes: note }\n',
    right:
      'buffers:\n  notes: { of: string, expires: 10m, items: 10 }\nsteps:\n  - facts: { prompt: "Extract the facts from {{ input.text }}", writes: notes }\n',
    fix: 'Write the buffer that is suggested, or declare it.',
    foundBy: 'compiler',
  },
  'flow.unknown': {
    title: 'There is no such flow',
    about: 'A step `flow: NAME` names a flow that is not there; found when the checker is told which flows there are.',
    wrong: 'steps:\n  - inner: { flow: demo/innr, with: { text: =input.text } }\n',
    fix: 'Write the flow that is suggested, or publish it.',
    foundBy: 'inventory',
  },
  'flow.cycle': {
    title: 'The flow calls itself',
    about: 'Directly or by way of others. Each call would start another, until a limit stops all of them.',
    wrong: 'flow: demo/again@1.0.0\nsteps:\n  - again: { flow: demo/again@1.0.0, with: { text: =input.text } }\n',
    right: 'flow: demo/again@1.0.0\nsteps:\n  - other: { flow: demo/other@1.0.0, with: { text: =input.text } }\n',
    fix: 'Use a `loop` with a cap for what is repeated, or take the common part into a flow of its own.',
    foundBy: 'compiler',
  },
} as const satisfies { readonly [code: string]: DiagnosticPage }
