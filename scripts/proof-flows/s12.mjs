// S12: a question is split, looked into by workers side by side, and answered with sources.
export const title = 'S12: a research team over a local search'

const QUESTION = { question: 'Why do more people take the harbour ferry, and how many are they?' }
const SOURCES = ['ferry/growth', 'data/ferry-passengers', 'ferry/critics'].map((path) => `https://library.example/${path}`)

export const run = async (kit) => {
  const home = kit.home()
  home.flow('flows/s12-research')
  home.model('research', { provider: 'scripted', script: 's12-research/scripts/answers.yaml', price: { input: 0.15, output: 0.6 } })
  for (const route of ['reasoning', 'fast', 'frontier']) home.route(route, ['research'])
  const { lab } = await kit.start(home)
  await lab.cli('flows', 'publish', 'flows/s12-research', '--replace')
  const { status, output } = await lab.run('research/report', QUESTION)
  return [kit.row('a question is answered with its sources', ['completed', SOURCES, 'team:writer'], [status, output?.sources, output?.by])]
}
