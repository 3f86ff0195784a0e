import { Command } from 'commander'
import { topicManifest } from '@baton/contracts'
import { readEnvironment } from '@baton/service/config'
import { duration, table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'

/** `baton topics`: every topic of an installation, from the manifest. */
export const topicsCommand = (context: CommandContext): Command =>
  new Command('topics')
    .description('list the topics of an installation')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => {
      const { eventsPartitions, config } = readEnvironment(process.env)
      const topics = topicManifest({ eventsPartitions }).map((topic) => ({ ...topic, name: `${config.topicPrefix}${topic.name}` }))
      const rows = topics.map((topic) => [
        topic.name,
        topic.partitions,
        topic.compacted ? 'newest of each key' : duration(topic.retentionMs),
        topic.about,
      ])
      show(context, topics, { ...options, text: () => table(['topic', 'partitions', 'kept', 'about'], rows) })
    })
