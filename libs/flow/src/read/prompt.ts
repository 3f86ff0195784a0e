import type { PromptPart } from '../plan.ts'
import { parsePrompt } from '../prompt.ts'
import { didYouMean } from '../diagnostic.ts'
import { createSource, type Source, type Span } from '../source/source.ts'
import { parseSyntax, spanInScalar, type ScalarSyntax, type Syntax } from '../source/syntax.ts'
import { cutByComment, quoted } from '../source/traps.ts'
import type { PromptTree, SlotTree } from '../tree.ts'
import { readFields, readText, type ReadContext } from './context.ts'

const REFERENCE = /^[\w./-]+@\d+$/

/** A prompt by name, from `prompts/NAME@N.md`, or the text itself. `id` names an inline prompt in the plan. */
export const readPrompt = (node: Syntax, id: string, context: ReadContext): PromptTree | undefined => {
  const text = readText(node, 'a prompt', context)
  if (text === undefined || node.kind !== 'scalar') return undefined
  if (REFERENCE.test(text)) return promptFile(text, node, context)
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
  return { at: node, name: `inline:${id}`, parts, slots }
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
  const system = front === null ? undefined : readFront(source, front[0], context)
  return {
    at: node,
    name,
    parts: main.parts,
    slots: [...(system?.slots ?? []), ...main.slots],
    ...(system === undefined ? {} : { system: system.parts }),
  }
}

const readFront = (
  source: Source,
  front: string,
  context: ReadContext,
): { readonly parts: readonly PromptPart[]; readonly slots: readonly SlotTree[] } | undefined => {
  // The front matter stands at the start of the file, so that offsets in it are offsets in the file.
  const tree = parseSyntax(createSource(source.file, front.replace(/---[ \t]*(?:\r?\n)?$/, '')), context.report)
  if (tree === undefined) return undefined
  const fields = readFields(tree, { what: 'the front matter of a prompt', known: ['system', 'about'], context })
  const system = fields?.get('system')
  if (system === undefined || system.kind !== 'scalar') return undefined
  const text = readText(system, 'system', context)
  return text === undefined ? undefined : readParts(text.trimEnd(), (index, token) => spanInScalar(system, index, token), context)
}
