/**
 * The program of the inbox, as the browser gets it. Everything from outside is written as text, never as markup. It speaks to the same
 * API as everybody else, with the cookies or headers of whatever stands in front of it.
 */
export const INBOX_SCRIPT = String.raw`
const $ = (id) => document.getElementById(id)
const state = { tasks: [], next: null, selected: null, task: null }
const tenant = new URLSearchParams(location.search).get('tenant')

const make = (tag, text, attributes = {}) => {
  const element = document.createElement(tag)
  if (text !== undefined && text !== null) element.textContent = text
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  return element
}
const say = (text, bad = false) => {
  $('said').textContent = text
  $('said').className = bad ? 'bad' : ''
}
const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2))

const headers = () => {
  const who = $('who').value.trim()
  return { 'content-type': 'application/json', ...(who === '' ? {} : { 'x-baton-user': encodeURIComponent(who) === who ? who : '' }), ...(tenant ? { 'x-baton-tenant': tenant } : {}) }
}
const api = async (method, path, body) => {
  const reply = await fetch('/v1/reviews' + path, { method, headers: headers(), credentials: 'same-origin', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const answer = await reply.json().catch(() => ({}))
  if (!reply.ok) throw new Error(answer.detail ?? answer.title ?? 'status ' + reply.status)
  return answer
}

const left = (dueAtMs) => {
  const seconds = Math.round((dueAtMs - Date.now()) / 1000)
  const abs = Math.abs(seconds)
  const words = abs >= 86400 ? Math.floor(abs / 86400) + 'd ' + Math.floor((abs % 86400) / 3600) + 'h' : abs >= 3600 ? Math.floor(abs / 3600) + 'h ' + Math.floor((abs % 3600) / 60) + 'm' : abs >= 60 ? Math.floor(abs / 60) + 'm ' + (abs % 60) + 's' : abs + 's'
  return { words: seconds < 0 ? 'late by ' + words : words + ' left', kind: seconds < 0 ? 'late' : seconds < 600 ? 'soon' : '' }
}
const clock = (element) => {
  const { words, kind } = left(Number(element.dataset.due))
  element.textContent = words
  element.className = kind
}
setInterval(() => document.querySelectorAll('[data-due]').forEach(clock), 1000)

const isOpen = (task) => ['pending', 'claimed', 'escalated'].includes(task.status)
const countdown = (task) => {
  const element = make('span')
  if (!isOpen(task)) element.textContent = task.status
  else {
    element.dataset.due = task.dueAtMs
    clock(element)
  }
  return element
}

const drawList = () => {
  const list = $('tasks')
  list.replaceChildren(
    ...state.tasks.map((task) => {
      const item = make('li', undefined, { role: 'option', id: 'task-' + task.taskId, 'aria-selected': String(task.taskId === state.selected) })
      const above = make('div', undefined, { class: 'line' })
      above.append(make('span', task.queue + ' · ' + task.priority + (task.status === 'escalated' ? ' · escalated' : '')), countdown(task))
      const below = make('div', undefined, { class: 'line' })
      below.append(make('span', task.flow + ' ' + task.path), make('span', task.claimedBy ? 'with ' + task.claimedBy : task.assignee ? 'for ' + task.assignee : ''))
      item.append(above, make('div', task.title), below)
      item.addEventListener('click', () => select(task.taskId))
      return item
    }),
  )
  if (state.tasks.length === 0) list.append(make('li', 'Nothing waits here.', { class: 'quiet' }))
  $('more').hidden = state.next === null
  if (state.selected) list.setAttribute('aria-activedescendant', 'task-' + state.selected)
}

const load = async (more = false) => {
  const query = new URLSearchParams({ status: $('status').value, limit: '100' })
  if ($('queue').value.trim() !== '') query.set('queue', $('queue').value.trim())
  if (more && state.next) query.set('cursor', state.next)
  try {
    const page = await api('GET', '?' + query)
    state.tasks = more ? [...state.tasks, ...page.items] : page.items
    state.next = page.nextCursor
    drawList()
  } catch (error) {
    say(error.message, true)
  }
}

const select = async (taskId) => {
  state.selected = taskId
  if (state.task?.taskId !== taskId) state.task = null // Keys never act on what is not shown.
  $('detail').setAttribute('aria-busy', 'true')
  drawList()
  $('task-' + taskId)?.scrollIntoView({ block: 'nearest' })
  try {
    const [task, comments] = await Promise.all([api('GET', '/' + taskId), api('GET', '/' + taskId + '/comments')])
    if (state.selected !== taskId) return
    state.task = task
    drawTask(task, comments.items)
    $('detail').dataset.task = taskId
    $('detail').setAttribute('aria-busy', 'false')
  } catch (error) {
    say(error.message, true)
  }
}

const block = (title, value) => {
  const parts = [make('h3', title)]
  parts.push(make('pre', textOf(value)))
  return parts
}
const facts = (pairs) => {
  const list = make('dl')
  for (const [name, value] of pairs) if (value !== null && value !== undefined && value !== '') list.append(make('dt', name), value instanceof Node ? wrap(value) : make('dd', String(value)))
  return list
}
const wrap = (node) => {
  const cell = make('dd')
  cell.append(node)
  return cell
}

const drawDifferences = (differences) => {
  const table = make('table')
  const head = make('tr')
  head.append(make('th', 'where'), make('th', 'before'), make('th', 'now'))
  table.append(head)
  for (const { at, from, to } of differences) {
    const row = make('tr')
    const [was, is] = [make('td'), make('td')]
    if (from !== undefined) was.append(make('del', textOf(from)))
    if (to !== undefined) is.append(make('ins', textOf(to)))
    row.append(make('td', at === '' ? '(all)' : at), was, is)
    table.append(row)
  }
  return [make('h3', 'Different from last time'), table]
}

const ACTIONS = { approve: ['A', 'Approve'], edit: ['E', 'Edit'], respond: ['E', 'Answer'], reject: ['R', 'Reject'] }
const drawTask = (task, comments) => {
  const { context } = task
  const detail = $('detail')
  const trace = make('a', task.runId, { href: '/v1/runs/' + encodeURIComponent(task.runId) + '/trace', target: '_blank', rel: 'noopener' })
  const actions = make('div', undefined, { class: 'actions' })
  if (isOpen(task)) {
    for (const verdict of task.allowed) {
      const [key, words] = ACTIONS[verdict]
      const button = make('button', words + ' (' + key + ')', { 'data-verdict': verdict })
      button.addEventListener('click', () => begin(verdict))
      actions.append(button)
    }
    const claim = make('button', task.claimedBy ? 'Release' : 'Claim (C)')
    claim.addEventListener('click', () => act(task.claimedBy ? 'release' : 'claim'))
    actions.append(claim)
  } else if (task.heldUntilMs) {
    const undo = make('button', 'Take back (U)')
    undo.addEventListener('click', () => act('undo'))
    actions.append(undo)
  }
  const decided = task.decision
  detail.replaceChildren(
    make('h2', task.title),
    facts([
      ['time', countdown(task)],
      ['queue', task.queue + ', ' + task.priority + ' (' + task.urgency + ')'],
      ['what', task.terms.kind + (task.terms.risk ? ', ' + task.terms.risk : '')],
      ['held by', task.claimedBy],
      ['for', task.assignee],
      ['agreed', task.quorum ? task.quorum.approved + ' of ' + task.quorum.n : null],
      ['sure', context.confidence === null ? null : Math.round(context.confidence * 100) + ' %'],
      ['cost so far', context.costUsd === null ? null : '$' + context.costUsd],
      ['run', trace],
      ['decided', decided ? decided.verdict + ' by ' + decided.by + (decided.reason ? ': ' + decided.reason : '') : null],
    ]),
    actions,
  )
  if (context.reasons.length > 0) {
    const reasons = make('ul')
    reasons.append(...context.reasons.map((reason) => make('li', reason)))
    detail.append(make('h3', 'Why it is here'), reasons)
  }
  detail.append(...block('What it is about', context.question))
  if (context.proposal !== null) detail.append(...block('What is proposed', context.proposal))
  if (context.differences && context.differences.length > 0) detail.append(...drawDifferences(context.differences))
  if (context.sources !== null) detail.append(...block('Sources', context.sources))
  if (context.conversation !== null) detail.append(...block('Conversation', context.conversation))
  if (decided && decided.output !== null) detail.append(...block('What was decided', decided.output))
  detail.append(make('h3', 'Comments'))
  for (const { by, text } of comments) detail.append(make('p', by + ': ' + text))
  const comment = make('form')
  const input = make('input', undefined, { 'aria-label': 'Comment', maxlength: '4000', placeholder: 'write a comment, Enter sends it' })
  comment.append(input)
  comment.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (input.value.trim() === '') return
    await guarded(() => api('POST', '/' + task.taskId + '/comments', { text: input.value, by: who() }))
    await select(task.taskId)
  })
  detail.append(comment)
}

const who = () => $('who').value.trim()
const guarded = async (work) => {
  if (who() === '') {
    say('Say who you are first.', true)
    $('who').focus()
    return undefined
  }
  try {
    return await work()
  } catch (error) {
    say(error.message, true)
    return undefined
  }
}

const act = async (action, body = {}) => {
  const { taskId, fingerprint } = state.task
  const done = await guarded(() => api('POST', '/' + taskId + ':' + action, { by: who(), ...(action === 'decide' ? { fingerprint } : {}), ...body }))
  if (done === undefined) return
  if (state.task?.taskId === taskId) state.task = { ...state.task, ...done }
  say(action === 'decide' ? (done.status === 'decided' ? 'Decided: ' + done.decision.verdict + '.' + (done.heldUntilMs ? ' U takes it back.' : '') : 'Your decision counts; others are waited for.') : 'Done: ' + action + '.')
  const at = state.tasks.findIndex((task) => task.taskId === taskId)
  const following = state.tasks[at + 1] ?? state.tasks[at - 1]
  await load()
  if (state.selected !== taskId) return // Somebody looks at another one by now.
  await select(action === 'decide' && !done.heldUntilMs && following && $('status').value === 'open' ? following.taskId : taskId)
}

/** What a verdict needs first: a text, a reason. */
const begin = async (verdict) => {
  const task = state.task
  if (!task || !isOpen(task) || !task.allowed.includes(verdict)) return
  const writes = verdict === 'edit' || verdict === 'respond'
  const needsReason = verdict === 'reject' || task.terms.risk === 'irreversible'
  if (!writes && !needsReason) return act('decide', { verdict })
  document.querySelector('#detail form.decision')?.remove()
  const form = make('form', undefined, { class: 'decision', 'aria-label': verdict })
  const named = verdict === 'reject' ? Object.keys(task.terms.rejections ?? {}) : []
  const because = make('select', undefined, { 'aria-label': 'Reason by name' })
  because.append(make('option', 'another reason', { value: '' }), ...named.map((name) => make('option', name.replaceAll('_', ' '), { value: name })))
  if (named.length > 0) form.append(because)
  const output = make('textarea', undefined, { 'aria-label': 'What it gives' })
  const before = verdict === 'edit' ? task.context.proposal : task.resultSchema?.properties ? Object.fromEntries(Object.keys(task.resultSchema.properties).map((key) => [key, ''])) : ''
  if (writes) {
    output.value = textOf(before)
    form.append(output)
  }
  const reason = make('input', undefined, { 'aria-label': 'Reason', maxlength: '4000', placeholder: needsReason ? 'why' : 'why (optional)' })
  const send = make('button', ACTIONS[verdict][1] + ' (Ctrl Enter)', { type: 'submit' })
  form.append(reason, send)
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const body = { verdict }
    if (reason.value.trim() !== '') body.reason = reason.value.trim()
    if (because.value !== '') body.because = because.value
    if (needsReason && !body.reason && !body.because) return say('Say why.', true)
    if (writes) {
      const wantsText = typeof before === 'string'
      try {
        body.output = wantsText ? output.value : JSON.parse(output.value)
      } catch {
        return say('This is not JSON.', true)
      }
    }
    await act('decide', body)
  })
  $('detail').querySelector('.actions').after(form)
  ;(writes ? output : named.length > 0 ? because : reason).focus()
  if (writes && isOpen(task) && !task.claimedBy) await guarded(() => api('POST', '/' + task.taskId + ':claim', { by: who() }))
}

const move = (by) => {
  if (state.tasks.length === 0) return
  const at = state.tasks.findIndex((task) => task.taskId === state.selected)
  const next = state.tasks[Math.max(0, Math.min(state.tasks.length - 1, at < 0 ? 0 : at + by))]
  if (next) select(next.taskId)
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  c: () => state.task && act('claim'),
  a: () => begin('approve'),
  e: () => begin(state.task?.allowed.includes('edit') ? 'edit' : 'respond'),
  r: () => begin('reject'),
  u: () => state.task?.heldUntilMs && act('undo'),
}
document.addEventListener('keydown', (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
  if (event.key === 'Escape') {
    document.querySelector('#detail form.decision')?.remove()
    event.target.blur?.()
    return
  }
  const key = KEYS[event.key.toLowerCase()]
  if (typing || event.ctrlKey || event.metaKey || event.altKey || key === undefined) return
  event.preventDefault()
  key()
})

/** Changes of the queue as they happen; after a break the list is read again. */
const follow = async () => {
  try {
    const reply = await fetch('/v1/reviews/events', { headers: headers(), credentials: 'same-origin' })
    if (!reply.ok) throw new Error('status ' + reply.status)
    $('live').textContent = 'live'
    await load()
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader()
    let pending
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!value.includes('event:')) continue
      clearTimeout(pending)
      pending = setTimeout(() => load(), 250)
    }
  } catch {
    // Below.
  }
  $('live').textContent = 'not live; trying again'
  setTimeout(follow, 3000)
}

$('who').value = localStorage.getItem('baton.who') ?? ''
$('who').addEventListener('change', () => localStorage.setItem('baton.who', who()))
for (const id of ['queue', 'status']) $(id).addEventListener('change', () => load())
$('more').addEventListener('click', () => load(true))
load()
follow()
`
