import { Command } from 'commander'
import { toFault } from '@baton/contracts'
import { readEnvironment, type Environment } from '@baton/service'
import { clusterFindings } from '../doctor/cluster.ts'
import { flowFindings, modelFindings } from '../doctor/content.ts'
import { databaseReport, type Installed } from '../doctor/database.ts'
import { fail, finding, pass, type Finding } from '../doctor/finding.ts'
import { dataFindings, nodeFinding } from '../doctor/machine.ts'
import { systemFindings } from '../doctor/system.ts'
import { show, type CommandContext } from './context.ts'

/** What is looked at where Kafka and PostgreSQL are configured, or the data directory where they are not. */
const storage = async (environment: Environment): Promise<readonly Finding[]> => {
  const { kafka, databaseUrl } = environment
  let installed: Installed | undefined
  const database = await finding('database', 'start PostgreSQL, or mend DATABASE_URL', async () => {
    if (databaseUrl === undefined) return [pass({ check: 'database', message: 'PGlite, in the data directory' })]
    const report = await databaseReport(databaseUrl, environment)
    installed = report.installed
    return report.findings
  })
  if (kafka !== undefined) {
    const cluster = await finding('kafka', 'start Kafka, or mend KAFKA_BROKERS', () => clusterFindings(kafka, environment, installed))
    return [...database, ...cluster]
  }
  const data = await finding('data', 'BATON_DATA_DIR must name a directory that can be written', () => dataFindings(environment))
  return [...data, ...database]
}

const examine = async (): Promise<readonly Finding[]> => {
  const node = nodeFinding(process.versions.node)
  let environment: Environment
  try {
    environment = readEnvironment(process.env)
  } catch (error) {
    return [
      node,
      fail({ check: 'environment', message: toFault(error).message, help: 'docs/concepts/configuration.md lists the variables' }),
    ]
  }
  const rest = await Promise.all([
    storage(environment),
    finding('models', 'mend config/models.yaml', () => modelFindings(environment)),
    finding('flows', 'BATON_FLOWS_DIR must name a folder of flows', () => flowFindings(environment)),
    finding('system', 'BATON_URL must name the gateway', () => systemFindings(environment)),
  ])
  return [node, ...rest.flat()]
}

const INDENT = ' '.repeat(20)
const inWords = ({ check, level, message, help }: Finding): string => {
  const [line, ...more] = message.split('\n')
  const below = [...more.map((text) => text.trim()), ...(help === undefined ? [] : [`→ ${help}`])].map((text) => `\n${INDENT}${text}`)
  return `${level.toUpperCase().padEnd(4)}  ${check.padEnd(12)}  ${line}${below.join('')}`
}

/** `baton doctor`: whether this installation can keep what Baton promises (L12). Changes nothing. */
export const doctorCommand = (context: CommandContext): Command =>
  new Command('doctor')
    .description('check the installation that the environment describes')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const findings = await examine()
      show(context, findings, { ...options, text: () => findings.map(inWords).join('\n') })
      if (findings.some(({ level }) => level === 'fail')) context.fail()
    })
