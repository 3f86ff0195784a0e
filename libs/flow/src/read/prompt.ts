import type { PromptPart } from '../plan.ts'
import { parsePrompt } from '../prompt.ts'
import { didYouMean, nearest } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import { spanInScalar, type ScalarSyntax, type Syntax } from '../source/syntax.ts'
import { cutByComment, quoted } from '../source/traps.ts'
import type { PromptTree, SlotTree } from '../tree.ts'
import { readPromptFront, withVariables } from './prompt-front.ts'
import { readSampling } from './sampling.ts'
import { isFileName, readFields, readText, type ReadContext } from './context.ts'

/** A prompt by name, of the flow or from `prompts/NAME@N.md`, or the text itself. `id` names an inline prompt in the plan. */
export const readPrompt = (node: Syntax, id: string, context: ReadContext): PromptTree | undefined => {
  const text = readText(node, 'a prompt', context)
  if (text === undefined || node.kind !== 'scalar') return undefined
  if (isFileName(text)) return promptFile(text, node, context)
  const declared = context.prompts.get(text)
  if (declared !== undefined) return readDeclaredPrompt(text, declared, context)
  const meant = /^[\w-]+$/.test(text) ? nearest(text, context.prompts.keys()) : undefined
  if (meant !== undefined) {
    context.report.add(node, 'prompt.unknown', `there is no prompt "${text}"${didYouMean(text, context.prompts.keys())}`, meant)
    return undefined
  }
  return readInline(node, text, { name: `inline:${id}`, context })
}

type Inline = { readonly name: string; readonly context: ReadContext }

const readInline = (node: ScalarSyntax, text: string, { name, context }: Inline): PromptTree | undefined => {
  if (node.style === 'plain') {
    const cut = cutByComment(node)
    if (cut !== undefined) {
      context.report.add(
        node,
        'yaml.trap',
        `" #" begins a comment in YAML, so the prompt ends before "${cut.trim()}"`,
        `${quoted(text + cut)}, or put the comment on a line of its own`,
      )
      return undefined
    }
  }
  const { parts, slots } = readParts(text, (index, token) => spanInScalar(node, index, token), context)
  return { at: node, name, parts, slots }
}

/** A prompt of the flow's `prompts`: text, or { system, text }. */
export const readDeclaredPrompt = (name: string, node: Syntax, context: ReadContext): PromptTree | undefined => {
  if (node.kind !== 'map') {
    const text = readText(node, `prompt "${name}"`, context)
    return text === undefined || node.kind !== 'scalar' ? undefined : readInline(node, text, { name, context })
  }
  const fields = readFields(node, { what: `prompt "${name}"`, known: ['system', 'text', 'about', 'temperature', 'seed'], context })
  const part = (key: string): PromptTree | undefined =>
    fields?.read(key, (value) => {
      const text = readText(value, key, context)
      return text === undefined || value.kind !== 'scalar' ? undefined : readInline(value, text, { name, context })
    })
  const main = part('text')
  if (main === undefined) {
    if (fields?.has('text') === false) context.report.add(node, 'flow.missing_key', `prompt "${name}" needs a text`, 'text: …')
    return undefined
  }
  const system = part('system')
  const sampling = fields === undefined ? undefined : readSampling(fields, context)
  const pinned = sampling === undefined ? main : { ...main, sampling }
  return system === undefined ? pinned : { ...pinned, slots: [...system.slots, ...main.slots], system: system.parts }
}

const readParts = (
  text: string,
  locate: (index: number, token: string) => Span,
  context: ReadContext,
): { readonly parts: readonly PromptPart[]; readonly slots: readonly SlotTree[] } => {
  const { parts, slots, mistakes } = parsePrompt(text)
  for (const { index, text: token, message } of mistakes) context.report.add(locate(index, token), 'prompt.malformed', message)
  return { parts, slots: slots.map(({ path, index, text: token }) => ({ path, at: locate(index, token) })) }
}

const promptFile = (name: string, node: ScalarSyntax, context: ReadContext): PromptTree | undefined => {
  const source = context.find([`prompts/${name}.md`])
  if (source === undefined) {
    context.report.add(node, 'prompt.unknown', `there is no file prompts/${name}.md${didYouMean(name, context.list('prompts'))}`)
    return undefined
  }
  const front = /^---\r?\n[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/.exec(source.text)
  const bodyStart = front === null ? 0 : front[0].length
  const body = source.text.slice(bodyStart)
  const lead = body.length - body.trimStart().length
  const main = readParts(
    body.trim(),
    (index, token) => ({ source, start: bodyStart + lead + index, end: bodyStart + lead + index + token.length }),
    context,
  )
  if (main.parts.length === 0) context.report.add({ source, start: bodyStart, end: bodyStart }, 'prompt.malformed', 'the prompt is empty')
  const read = front === null ? undefined : readPromptFront(source, front[0], context)
  return {
    at: node,
    name,
    parts: read === undefined ? main.parts : withVariables(main, read, context),
    slots: [...(read?.slots ?? []), ...main.slots],
    ...(read === undefined || read.system.length === 0 ? {} : { system: read.system }),
    ...(read?.sampling === undefined ? {} : { sampling: read.sampling }),
  }
}
