// What happens to the machine of a broker: its disk fills, its clock jumps. Each has a broker of its own.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clockMissing, movableClock } from './clock.mjs'
import { rowOf } from './row.mjs'
import { message, openStage, settle, standstillFrom, stream } from './stage.mjs'

const PER_S = 200
const CALM_MS = 2_000
const FULL_MS = 6_000
const HOUR_S = 3_600
const DISK_MB = 96

const run = (command, ...args) => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why no small disk can be had here, or undefined. */
const diskMissing = () => (process.platform === 'linux' && process.getuid() === 0 ? undefined : 'mounting a small disk needs root on Linux')

/** A file system of its own: ext4 on a loop device, or where there is none a tmpfs of that size. */
const smallDisk = (dir) => {
  const at = join(dir, 'disk')
  const image = join(dir, 'disk.img')
  mkdirSync(at, { recursive: true })
  let kind = `ext4 of ${DISK_MB} MB on a loop device`
  try {
    run('truncate', '-s', `${DISK_MB}M`, image)
    run('mkfs.ext4', '-q', '-m', '0', image)
    run('mount', '-o', 'loop', image, at)
  } catch {
    kind = `tmpfs of ${DISK_MB} MB`
    run('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', at)
  }
  const ballast = join(at, 'ballast')
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(at)
    return bavail * bsize
  }
  return {
    at,
    kind,
    freeBytes,
    /** Leaves a few pages, so that the broker fills the rest with records. */
    fill: () => run('fallocate', '-l', String(Math.max(1, freeBytes() - 262_144)), ballast),
    empty: () => rmSync(ballast, { force: true }),
    remove: () => spawnSync('umount', ['-l', at]),
  }
}

/** A broker whose folder is given, and load on it; `harm` gives from when on standing still counts. */
const withBroker = async ({ dir, startKafka, env, load: perSecond = PER_S, value }, harm) => {
  const kafka = await startKafka({ dir, env, heapMb: 320 })
  try {
    const { ledger, publish, close } = await openStage({ publishTo: kafka.brokers })
    const load = stream(publish, perSecond, (n) => message(n, value === undefined ? {} : { value }))
    await sleep(CALM_MS)
    const { fromMs, note, promises = [] } = await harm(kafka)
    await sleep(CALM_MS)
    await load.stop()
    await settle(ledger)
    await close()
    const recoveryMs = standstillFrom(ledger, fromMs)
    return rowOf(ledger, {
      recoveryMs,
      note,
      promises: [['no partition stands still for 5 s', recoveryMs < 5_000], ['refuses nothing', ledger.refused === 0], ...promises],
    })
  } finally {
    await kafka.kill()
  }
}

export const CASES = {
  disk: {
    slow: true,
    title: `the disk of the broker is full for ${FULL_MS / 1_000} s`,
    missing: diskMissing,
    run: async ({ dir, startKafka }) => {
      const disk = smallDisk(dir)
      try {
        return await withBroker({ dir: join(disk.at, 'kafka'), startKafka, value: Buffer.alloc(4_096) }, async (kafka) => {
          disk.fill()
          await sleep(FULL_MS)
          const leftBytes = disk.freeBytes()
          disk.empty()
          await kafka.kill() // It ends by itself on a full disk; where it does not, its operator ends it.
          await kafka.restart()
          return {
            fromMs: performance.now(),
            note: `${disk.kind}; from when it serves again on`,
            promises: [['the disk was full indeed', leftBytes < 16_384]],
          }
        })
      } finally {
        disk.remove()
      }
    },
  },
  'broker-clock': {
    slow: true,
    title: 'the clock of the broker jumps an hour ahead, and back',
    missing: clockMissing,
    run: async ({ dir, startKafka }) => {
      const clock = movableClock(dir, 'broker')
      return withBroker({ dir: join(dir, 'clocked'), startKafka, env: clock.env }, async () => {
        const fromMs = performance.now()
        clock.set(HOUR_S)
        await sleep(2 * CALM_MS)
        clock.set(0)
        await sleep(2 * CALM_MS)
        return { fromMs, note: 'wall clock of the Java process, by a preloaded library' }
      })
    },
  },
}
