// A flow as one file: the flow and what its plan was made of, nothing else.
//   K1. The same files give the same bytes before compression and the same hash, on every machine and at every time.
//   K2. What is unpacked is what was packed: every file and the plan are checked against the hashes of the manifest.
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import { canonicalJson, Fault, sha256 } from '@baton/contracts'
import { compileFlow, type Plan } from '@baton/flow'
import { isSafePath, readTar, writeTar } from './tar.ts'

const MANIFEST = 'baton.pack.json'
const PACK_BYTES_MAX = 16_777_216

const Hash = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const Manifest = z.object({
  format: z.literal('baton.pack/1'),
  flow: z.string(),
  version: z.string(),
  entry: z.string(),
  /** What `namespace/name@sha256:…` names once it is published. */
  plan: Hash,
  /** SHA-256 of each file. */
  files: z.record(z.string(), Hash),
})
type Manifest = z.infer<typeof Manifest>
const PackFile = z.object({ manifest: Manifest, files: z.record(z.string(), z.string()) })

export type FlowPack = {
  readonly manifest: Manifest
  readonly files: ReadonlyMap<string, string>
  /** Hash of the manifest, and so of everything in the pack. */
  readonly hash: string
}

type FlowText = { readonly files: ReadonlyMap<string, string>; readonly entry: string }

const hashOf = (content: string): string => `sha256:${sha256(content)}`

/** Packs what the plan of a flow is made of. Throws `flow.invalid` for a flow with mistakes. */
export const packFlow = ({ files, entry }: FlowText): FlowPack => {
  const used = new Set<string>()
  const plan = compile({ files: recording(files, used), entry })
  const packed = new Map([...files].filter(([path]) => used.has(path)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const manifest: Manifest = {
    format: 'baton.pack/1',
    flow: plan.flow,
    version: plan.version,
    entry,
    plan: `sha256:${plan.hash}`,
    files: Object.fromEntries([...packed].map(([path, content]) => [path, hashOf(content)])),
  }
  const pack = { manifest, files: packed, hash: hashOf(canonicalJson(manifest)) }
  verify(pack) // what was packed compiles without the files that were left out
  return pack
}

const compile = (flow: FlowText): Plan => {
  const result = compileFlow(flow)
  if (result.ok) return result.plan
  throw new Fault('flow.invalid', `${flow.entry} has mistakes; "baton check" lists them`)
}

/** The files, remembering which were read. */
const recording = (files: ReadonlyMap<string, string>, used: Set<string>): ReadonlyMap<string, string> => {
  class Recording extends Map<string, string> {
    override get(path: string): string | undefined {
      const content = super.get(path)
      if (content !== undefined) used.add(path)
      return content
    }
  }
  return new Recording(files)
}

/** The pack as bytes: `.json` for people and tools that compare, anything else a compressed tar archive. */
export const encodePack = ({ manifest, files }: FlowPack, kind: 'json' | 'tgz'): Buffer => {
  if (kind === 'json') return Buffer.from(`${JSON.stringify({ manifest, files: Object.fromEntries(files) }, null, 2)}\n`)
  const entries = new Map([...files].map(([path, content]): [string, Buffer] => [path, Buffer.from(content)]))
  entries.set(MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  const packed = gzipSync(writeTar(entries), { level: 9 })
  packed[GZIP_OS] = UNKNOWN_OS // K1: else the name of the system is in the file
  return packed
}
// Source: RFC 1952, 2.3.1: OS, 255 = unknown.
const GZIP_OS = 9
const UNKNOWN_OS = 255

/** Whether a path names a pack. */
export const isPackPath = (path: string): boolean => /\.(tgz|tar\.gz)$|\.pack\.json$/.test(path)

/** Reads a pack. Throws `request.malformed` when it is not what was packed (K2). */
export const decodePack = (content: Buffer): FlowPack => {
  if (content.length > PACK_BYTES_MAX)
    throw new Fault('request.too_large', `the pack has ${content.length} bytes; at most ${PACK_BYTES_MAX} are read`)
  const { manifest, files } = content[0] === 0x1f ? fromArchive(content) : fromJson(content.toString('utf8'))
  for (const path of files.keys()) if (!isSafePath(path)) throw malformed(`${path} leads out of the folder`)
  const pack = { manifest, files, hash: hashOf(canonicalJson(manifest)) }
  verify(pack)
  return pack
}

const fromArchive = (content: Buffer): Omit<FlowPack, 'hash'> => {
  const entries = readTar(inflate(content))
  const manifest = entries.get(MANIFEST)?.toString('utf8')
  if (manifest === undefined) throw malformed(`there is no ${MANIFEST}`)
  const files = [...entries].filter(([path]) => path !== MANIFEST).map(([path, bytes]): [string, string] => [path, bytes.toString('utf8')])
  return { manifest: parse(Manifest, manifest), files: new Map(files) }
}

const fromJson = (text: string): Omit<FlowPack, 'hash'> => {
  const { manifest, files } = parse(PackFile, text)
  return { manifest, files: new Map(Object.entries(files)) }
}

const inflate = (content: Buffer): Buffer => {
  try {
    return gunzipSync(content, { maxOutputLength: PACK_BYTES_MAX })
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error))
  }
}

const parse = <T>(schema: z.ZodType<T>, text: string): T => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('its manifest is not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw malformed(`${parsed.error.issues[0]?.path.join('.') ?? 'manifest'}: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
}

const verify = ({ manifest, files }: Omit<FlowPack, 'hash'>): void => {
  const expected = Object.keys(manifest.files)
  if (expected.length !== files.size) throw malformed('it holds other files than its manifest names')
  for (const path of expected) {
    const content = files.get(path)
    if (content === undefined || hashOf(content) !== manifest.files[path]) throw malformed(`${path} is not what was packed`)
  }
  const plan = compile({ files, entry: manifest.entry })
  if (`sha256:${plan.hash}` !== manifest.plan) throw malformed('its files make another plan than was packed')
}

const malformed = (reason: string): Fault => new Fault('request.malformed', `the pack cannot be read: ${reason}`)
