import { stepsOfOutline, type Outline, type OutlineOutcome, type OutlineStep } from '../outline/outline.ts'
import { durationWords, limitWords, schemaWords } from '../outline/words.ts'
import { EMPTY, fork, moved, pill, stack, type Column, type Piece } from './piece.ts'
import { BOX_PADDING, drawing, LINE_HEIGHT, textWidth, wrap, type Line, type Tone } from './shapes.ts'

const MARGIN = 24
const BOX_COLUMNS = 38
const BOX_WIDTH_MIN = 170

/** A flow as a drawing: steps from top to bottom, decisions and branches side by side, people and what cannot be undone marked. */
export const toSvg = (outline: Outline): string => {
  const title = `${outline.flow}@${outline.version}`
  const main = stack([
    pill(`input: ${wrap(schemaWords(outline.input), 60, 1)[0] ?? ''}`, 'end', true),
    ...stepPieces(outline.steps),
    pill('result', 'end'),
  ])
  const handlers = [
    ['when a step fails', outline.onError],
    ['when a limit is reached', outline.onLimit],
    ...outline.fallbacks.map(({ label, outcome }) => [label, outcome] as const),
  ] as const
  const asides = handlers.flatMap(([label, outcome]) =>
    outcome === undefined ? [] : [stack([pill(label, 'fail', true), handlerPiece(outcome)])],
  )
  let x = MARGIN
  const shapes = [main, ...asides].flatMap((piece) => {
    const at = moved(piece, x, MARGIN + 24)
    x += piece.width + MARGIN * 2
    return at
  })
  const heading = { shape: 'label', x: MARGIN + textWidth(title, 11) / 2, y: 12, lines: [title], title } as const
  return drawing({
    width: Math.ceil(Math.max(x - MARGIN, textWidth(title) + MARGIN * 2)),
    height: Math.ceil(Math.max(main.height, ...asides.map((piece) => piece.height)) + MARGIN * 2 + 24),
    title,
    about: aboutText(outline),
    shapes: [heading, ...shapes],
  })
}

const aboutText = (outline: Outline): string => {
  const steps = stepsOfOutline(outline)
  const people = steps.filter(({ kind }) => kind === 'human').length
  return `${steps.length} steps, ${people} of them by people; limits ${limitWords(outline.limits).join(', ')}`
}

const handlerPiece = (outcome: OutlineOutcome): Piece =>
  outcome.then === 'run'
    ? stack([...stepPieces(outcome.steps), outcome.after === 'next' ? pill('goes on', 'end') : afterPill(outcome.after)])
    : simplePiece(outcome)

const stepPieces = (steps: readonly OutlineStep[]): readonly Piece[] => steps.map(stepPiece)

/** A step's box, its parts below, then its ways on. */
const stepPiece = (step: OutlineStep): Piece => {
  const parts = step.parts.map((part): Column => {
    const aside = part.role === 'failover' || part.role === 'undo'
    const piece = stack(stepPieces(part.steps))
    return { label: part.label, title: part.label, dashed: aside, piece: part.role === 'undo' ? { ...piece, goesOn: false } : piece }
  })
  const ways = waysOf(step)
  return stack([boxPiece(step), ...(parts.length === 0 ? [] : [fork(parts)]), ...(ways.length === 0 ? [] : [fork(ways)])])
}

const waysOf = (step: OutlineStep): readonly Column[] => {
  const rules = [...step.cases, ...step.gate]
  const asides = [
    ['on error', step.onError],
    ['on timeout', step.onTimeout],
    ['on limit', step.onLimit],
  ] as const
  const onAside = asides.flatMap(([label, outcome]) => (outcome === undefined ? [] : [column(label, { outcome, dashed: true })]))
  const onRule = rules.map(({ label, when, outcome }) => column(label, { outcome, dashed: false, title: when ?? 'else' }))
  const plainWay = rules.length === 0 && onAside.length > 0 ? [{ label: '', title: '', dashed: false, piece: EMPTY }] : []
  return [...plainWay, ...onRule, ...onAside]
}

const column = (label: string, options: { outcome: OutlineOutcome; dashed: boolean; title?: string }): Column => ({
  label,
  title: options.title ?? label,
  dashed: options.dashed,
  piece: outcomePiece(options.outcome),
})

const outcomePiece = (outcome: OutlineOutcome): Piece => {
  if (outcome.then !== 'run') return simplePiece(outcome)
  const steps = stepPieces(outcome.steps)
  return outcome.after === 'next' ? stack(steps) : stack([...steps, afterPill(outcome.after)])
}

const afterPill = (after: 'end' | 'fail'): Piece => (after === 'end' ? pill('end', 'end') : pill('fails', 'fail'))

const simplePiece = (outcome: Exclude<OutlineOutcome, { readonly then: 'run' }>): Piece => {
  switch (outcome.then) {
    case 'next':
      return EMPTY
    case 'step':
      return pill(`→ ${outcome.step}`, 'plain')
    case 'retry': {
      const change = outcome.models === undefined ? '' : ` with ${outcome.models.join(', ')}`
      return pill(`again${change}, ${outcome.attempts}×`, 'plain')
    }
    default:
      return afterPill(outcome.then)
  }
}

const TONES: Readonly<Record<OutlineStep['kind'], Tone>> = {
  model: 'model',
  agent: 'model',
  team: 'model',
  vote: 'model',
  tool: 'work',
  retrieve: 'work',
  task: 'work',
  emit: 'work',
  flow: 'group',
  parallel: 'group',
  map: 'group',
  loop: 'group',
  human: 'people',
  check: 'decision',
  switch: 'decision',
  set: 'plain',
  wait: 'plain',
  event: 'plain',
}

const boxPiece = (step: OutlineStep): Piece => {
  const lines = boxLines(step)
  const people = step.kind === 'human'
  const width = Math.max(BOX_WIDTH_MIN, ...lines.map(({ text }) => textWidth(text) + BOX_PADDING * 2 + (people ? 34 : 12)))
  const height = lines.length * LINE_HEIGHT + BOX_PADDING * 2
  const danger = step.effect === 'irreversible'
  const title = `${step.id}: ${step.kind}, ${step.detail}`
  const box = { shape: 'box', x: 0, y: 0, width, height, tone: TONES[step.kind], lines, title, danger, people } as const
  return { width, height, center: Math.round(width / 2), goesOn: true, shapes: [box] }
}

const boxLines = (step: OutlineStep): readonly Line[] => {
  const note = (text: string): readonly Line[] => wrap(text, BOX_COLUMNS, 2).map((line) => ({ text: line, weight: 'note' }))
  const time = step.timeoutMs === undefined ? [] : [`${durationWords(step.timeoutMs)} a try`]
  const tries = step.retry === undefined ? [] : [`${step.retry.attempts} tries`]
  return [
    { text: step.name ?? step.kind, weight: 'title' },
    ...wrap(step.detail, BOX_COLUMNS, 3).map((text): Line => ({ text, weight: 'detail' })),
    ...(step.when === undefined ? [] : note(`only when ${step.when}`)),
    ...(time.length + tries.length === 0 ? [] : note([...time, ...tries].join(', '))),
    ...(step.effect === 'irreversible' ? [{ text: '⚠ cannot be undone', weight: 'title' } as const] : []),
  ]
}
