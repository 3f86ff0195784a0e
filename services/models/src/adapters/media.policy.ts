// Pictures, sound and files of a step, as models take them (C11).
//   Z1. Content that is here goes as bytes; an address goes as an address, and is never fetched by this process.
//   Z2. What cannot be read as either is refused by its place: a picture that is silently left out is a wrong answer.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { Media } from '../model.ts'

const DATA_URL = /^data:([a-z]+\/[\w.+-]+);base64,([A-Za-z0-9+/=\s]+)$/
const BY_ENDING: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  pdf: 'application/pdf',
}

const ofUrl = (text: string, mediaType: string | undefined): Media | undefined => {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return undefined
  const ending = url.pathname.split('.').at(-1)?.toLowerCase() ?? ''
  return { url: text, mediaType: mediaType ?? BY_ENDING[ending] ?? 'image/*' } // Z1
}

const ofText = (text: string, mediaType?: string): Media | undefined => {
  const data = DATA_URL.exec(text)
  const [, type, base64] = data ?? []
  return type === undefined || base64 === undefined
    ? ofUrl(text, mediaType)
    : { mediaType: mediaType ?? type, base64: base64.replaceAll(/\s/g, '') }
}

const text = (item: JsonObject, names: readonly string[]): string | undefined =>
  names.map((name) => item[name]).find((value): value is string => typeof value === 'string')

const ofObject = (item: JsonObject): Media | undefined => {
  const mediaType = text(item, ['mediaType', 'contentType', 'type'])
  const base64 = text(item, ['base64'])
  if (base64 !== undefined) return mediaType === undefined ? undefined : { mediaType, base64 }
  const address = text(item, ['url', 'data', 'content', 'ref'])
  return address === undefined ? undefined : ofText(address, mediaType)
}

const readOne = (item: Json, at: number): Media => {
  const read = typeof item === 'string' ? ofText(item) : isJsonObject(item) ? ofObject(item) : undefined
  if (read !== undefined) return read
  throw new Fault('input.invalid', `media[${at}] is neither a data URL, an address, nor { mediaType, base64 }.`, { field: `media[${at}]` }) // Z2
}

/** Reads the media of a command; lists in it are taken item by item, null is nothing. */
export const readMedia = (items: readonly Json[]): readonly Media[] =>
  items
    .flatMap((item): readonly Json[] => (Array.isArray(item) ? item : [item]))
    .filter((item) => item !== null)
    .map(readOne)
