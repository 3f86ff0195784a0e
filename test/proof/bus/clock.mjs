// A wall clock that can be moved while a process runs: a small C library that is preloaded (clock.c).
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const COMPILER = 'cc'

/** Why no clock can be moved here, or undefined. */
export const clockMissing = () => {
  if (process.platform !== 'linux') return 'a clock is moved by a preloaded library, on Linux'
  const { error, status } = spawnSync(COMPILER, ['--version'])
  return error === undefined && status === 0 ? undefined : 'a clock is moved by a library in C, and there is no C compiler'
}

/** `env` for a process; `set` moves its clock so many seconds away from the right time. */
export const movableClock = (dir, name) => {
  const library = join(dir, `${name}.so`)
  const file = join(dir, `${name}.offset`)
  const source = join(import.meta.dirname, 'clock.c')
  const { status, stderr } = spawnSync(COMPILER, ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`clock.c: ${stderr}`)
  const set = (seconds) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(seconds))
    writeFileSync(file, bytes, { flag: 'r+' })
  }
  writeFileSync(file, Buffer.alloc(8))
  return { env: { LD_PRELOAD: library, PROOF_CLOCK: file }, set }
}
