// The network between a routing process and its servers, to be cut: a TCP proxy that swallows everything, and a pair of virtual interfaces.
import { spawnSync } from 'node:child_process'
import { createServer, connect } from 'node:net'

const tried = (command, ...args) => spawnSync(command, args, { encoding: 'utf8' })
const must = (command, ...args) => {
  const { status, stderr, error } = tried(command, ...args)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why no network namespace can be had here, or undefined. PostgreSQL refuses root, so a mapped root of an ordinary user is of no use. */
export const namespaceMissing = () => {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.getuid() !== 0) return 'network namespaces with a server that is not root need root'
  const script = 'ip link set lo up && ip link add proof0 type veth peer name proof1'
  const { status, stderr, error } = tried('unshare', '-n', 'sh', '-c', script)
  return status === 0 ? undefined : (error?.message ?? (stderr.trim() || `unshare -n ended with ${status}`))
}

/** The loopback of the namespace that the whole proof runs in. */
export const raiseLoopback = () => must('ip', 'link', 'set', 'lo', 'up')

/** Connects the namespace of a process with this one. `cut` takes the interface down: no packet passes, no connection is told. */
export const plugIn = (pid, slot) => {
  const inside = `in${slot}`
  const outside = `out${slot}`
  tried('ip', 'link', 'del', outside) // Of a process that was here before.
  must('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', String(pid))
  must('ip', 'addr', 'add', `10.77.${slot}.1/24`, 'dev', outside)
  must('ip', 'link', 'set', outside, 'up')
  const enter = (...args) => must('nsenter', '-t', String(pid), '-n', 'ip', ...args)
  enter('link', 'set', 'lo', 'up')
  enter('addr', 'add', `10.77.${slot}.2/24`, 'dev', inside)
  enter('link', 'set', inside, 'up')
  return {
    cut: () => must('ip', 'link', 'set', outside, 'down'),
    mend: () => must('ip', 'link', 'set', outside, 'up'),
  }
}

/** A proxy on one port. `swallow` keeps every byte of both directions and answers no new connection; `mend` lets them pass again. */
export const openProxy = async ({ port, to }) => {
  const pairs = new Set()
  let swallowing = false
  const server = createServer((near) => {
    const far = connect(to)
    const pair = [near, far]
    pairs.add(pair)
    for (const [from, into] of [pair, pair.toReversed()]) {
      from.setNoDelay(true)
      from.on('data', (chunk) => {
        if (!into.write(chunk)) from.pause()
      })
      into.on('drain', () => !swallowing && from.resume())
      from.on('error', () => undefined)
      from.on('close', () => {
        pairs.delete(pair)
        into.destroy()
      })
    }
    if (swallowing) for (const socket of pair) socket.pause()
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '0.0.0.0', resolve))
  const each = (act) => {
    for (const pair of pairs) for (const socket of pair) act(socket)
  }
  return {
    /** Whether a connection to the server comes from this port. */
    holds: (localPort) => [...pairs].some(([, far]) => far.localPort === localPort),
    swallow: () => {
      swallowing = true
      each((socket) => socket.pause())
    },
    mend: () => {
      swallowing = false
      each((socket) => socket.resume())
    },
    close: () => {
      each((socket) => socket.destroy())
      server.close()
    },
  }
}
