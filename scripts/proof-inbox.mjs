// `npm run proof:inbox`: builds, starts a system, and works its inbox page in Chromium by keyboard. Prints what was seen; exit 1 on FAIL.
// It does not measure how fast a page is, nor other browsers.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const CHROMIUM = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
)
if (CHROMIUM === undefined) {
  console.log('SKIP: no Chromium here (Debian package `chromium`, or CHROMIUM_PATH)')
  process.exit(process.env.CI === 'true' ? 1 : 0)
}
if (!process.argv.includes('--no-build')) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
const { chromium } = await import('playwright-core')
const { createChecks } = await import('../test/proof/checks.mjs')
const { startBaton, until } = await import('../test/proof/system.mjs')
const { makeWorld, openApi } = await import('../test/proof/reviews/world.mjs')

const { check, end } = createChecks()
const world = makeWorld()
const data = mkdtempSync(join(tmpdir(), 'baton-inbox-'))
const system = await startBaton(['--data', data, '--port', '0'], { env: world.env })
const url = system.urls.gateway
const api = openApi(() => url)
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

const ask = async (flow, n, text) => {
  const { body } = await api.start(flow, `inbox-${flow}-${n}`, { n, text })
  return until(`the task of ${flow} ${n}`, async () => (await api.tasks(`queue=${flow}`)).find(({ runId }) => runId === body.runId))
}
const ended = (runId) =>
  until(`${runId} to end`, async () => {
    const { body } = await api.http('GET', `/v1/runs/${runId}`)
    return ['completed', 'failed'].includes(body.status) ? body : undefined
  })

try {
  const first = await ask('desk', 1, '<img src=x onerror="window.hacked=1">')
  const [second, third, fourth] = [
    await ask('desk', 2, 'Where is my refund?'),
    await ask('desk', 3, 'Thank you.'),
    await ask('desk', 4, 'Later.'),
  ]
  const held = await ask('held', 1, 'Wait a moment.')
  const page = await browser.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  const answer = await page.goto(`${url}/inbox`)
  const policy = answer.headers()['content-security-policy'] ?? ''
  check(
    'the page comes with a policy that allows only what is ours',
    policy.includes("default-src 'self'") && policy.includes("frame-ancestors 'none'"),
    policy,
  )
  const item = (task) => page.locator(`#task-${task.taskId}`)
  await item(fourth).waitFor()
  check('the list has what waits', (await page.locator('#tasks li').count()) === 5, `${await page.locator('#tasks li').count()} tasks`)
  const due = await item(first).locator('[data-due]').textContent()
  check('each task counts down', /\d+m \d+s left|1h/.test(due), due)

  await page.fill('#who', 'ada')
  await page.locator('#tasks').focus()
  const heading = page.locator('#detail h2')
  const shows = (task) =>
    page.waitForFunction(
      (id) =>
        document.querySelector('[aria-selected=true]')?.id === `task-${id}` &&
        document.querySelector(`#detail[aria-busy=false][data-task=${id}] pre`),
      task.taskId,
    )
  await page.keyboard.press('j')
  await shows(first)
  await page.waitForFunction(() => document.querySelector('#detail')?.textContent.includes('onerror'))
  check(
    'what a customer wrote is text, not markup',
    (await page.evaluate(() => window.hacked)) === undefined && (await page.locator('#detail img').count()) === 0,
  )
  const words = await page.locator('#detail').textContent()
  check(
    'the task shows question, proposal, what is different, cost and trace',
    ['What it is about', 'What is proposed', 'Different from last time', 'Before.', 'cost so far', first.runId].every((part) =>
      words.includes(part),
    ),
    await heading.textContent(),
  )
  await page.keyboard.press('a')
  check(
    'A approves, and the run goes on with it',
    (await ended(first.runId)).result?.output?.by === 'human:ada' || (await ended(first.runId)).status === 'completed',
  )
  await shows(second)
  check('the next task is at hand', (await item(second).getAttribute('aria-selected')) === 'true')
  const live = await until('the list to follow', async () => ((await item(first).count()) === 0 ? true : undefined))
  check('the list follows what happens', live === true, await page.locator('#live').textContent())

  await page.keyboard.press('e')
  const box = page.locator('form.decision textarea')
  await box.waitFor()
  await box.fill('{ "text": 7 }')
  await page.keyboard.press('Control+Enter')
  await page.waitForFunction(() => document.querySelector('#said').className === 'bad')
  check(
    'E: what does not fit the schema is refused, and the task stays',
    /output/.test(await page.locator('#said').textContent()),
    await page.locator('#said').textContent(),
  )
  await box.fill('{ "text": "It is on its way.", "n": 2 }')
  await page.keyboard.press('Control+Enter')
  const edited = await ended(second.runId)
  check('E: what was written is the output', JSON.stringify(edited).includes('It is on its way.'), edited.status)

  await shows(third)
  await page.keyboard.press('r')
  const because = page.locator('form.decision select')
  await because.waitFor()
  await because.selectOption('tone')
  await page.keyboard.press('Control+Enter')
  const rejected = await ended(third.runId)
  check('R rejects with a named reason, which the run is told', JSON.stringify(rejected).includes('Be friendlier.'), rejected.status)

  await page.keyboard.press('Escape')
  await item(held).click()
  await shows(held)
  await page.keyboard.press('a')
  await page.waitForFunction(() => document.querySelector('#said').textContent.includes('takes it back'))
  await page.keyboard.press('u')
  const again = await until('the decision to be taken back', async () => {
    const { status } = await api.show(held.taskId)
    return status === 'pending' ? status : undefined
  })
  check('U takes a decision back in its grace time', again === 'pending', again)
  await api.act(fourth.taskId, 'claim', { by: 'bob' })
  await page.waitForFunction((id) => document.querySelector(`#task-${id}`)?.textContent.includes('with bob'), fourth.taskId)
  check('what others do is seen without asking', true)
  await item(fourth).click()
  await shows(fourth)
  await page.keyboard.press('a')
  await page.waitForFunction(() => document.querySelector('#said').textContent.includes('bob'))
  check('who comes second is told who holds it', true, await page.locator('#said').textContent())
  const unexpected = problems.filter((problem) => !/status of (?:4\d\d)/.test(problem))
  check('the browser has nothing to complain about', unexpected.length === 0, unexpected.join('; ').slice(0, 200))
} finally {
  await browser.close()
  await system.kill('SIGTERM')
  rmSync(data, { recursive: true, force: true })
  world.remove()
}
process.exit(end())
