import { Command, InvalidArgumentError } from 'commander'
import { SERVICES, type ServiceName } from '@baton/contracts'
import { readEnvironment } from '@baton/service/config'
import { openPlatform, type OpenedPlatform } from '../platform/open-platform.ts'
import type { CommandContext } from './context.ts'

const isService = (name: string): name is ServiceName => SERVICES.some((service) => service === name)
const serviceNames = (value: string, earlier: readonly ServiceName[] = []): readonly ServiceName[] => {
  const names = value.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isService(name))
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is no service; there are ${SERVICES.join(', ')}.`)
  return [...earlier, ...names.filter(isService)]
}
const portNumber = (value: string): number => {
  const port = Number(value)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.')
  return port
}

/** Waits for SIGINT or SIGTERM, then drains; a second signal ends at once. */
const runUntilSignal = async (opened: OpenedPlatform, context: CommandContext): Promise<void> => {
  const { platform } = opened
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  context.terminal.note(`draining for at most ${platform.config.drainMs} ms; a second signal ends at once`)
  await opened.close({ graceMs: platform.config.drainMs })
}

/** `baton up`: the whole system in one process, or chosen services of a distributed one. */
export const upCommand = (context: CommandContext): Command =>
  new Command('up')
    .description('start Baton: embedded, unless KAFKA_BROKERS and DATABASE_URL are set')
    .option('--data <dir>', 'data directory of the embedded system (BATON_DATA_DIR)')
    .option('--port <port>', 'HTTP port; 0 takes a free one (BATON_PORT)', portNumber)
    .option('--host <host>', 'address to listen on (BATON_HOST)')
    .option('--only <services>', 'start only these services, separated by commas', serviceNames)
    .action(async (options: { data?: string; port?: number; host?: string; only?: readonly ServiceName[] }) => {
      // Functions beside flows and servers in tools.yaml find the data folder by this name.
      if (options.data !== undefined) process.env['BATON_DATA_DIR'] = options.data
      const environment = readEnvironment({
        ...process.env,
        ...(options.port === undefined ? {} : { BATON_PORT: String(options.port) }),
        ...(options.host === undefined ? {} : { BATON_HOST: options.host }),
      })
      const { only } = options
      const services = only ?? SERVICES
      const opened = await openPlatform({ environment, name: only?.join('+') ?? 'baton', preload: services, services })
      try {
        const { port, host } = environment
        await opened.start({ host, ...(only === undefined ? {} : { only }), ...(port === undefined ? {} : { port }) })
      } catch (error) {
        await opened.close({ graceMs: 0 })
        throw error
      }
      for (const [name, { url }] of opened.services) if (url !== undefined) context.terminal.print(`${name} listens on ${url}`)
      context.terminal.print('ready')
      await runUntilSignal(opened, context)
    })
