// The calibration of a route put into the text of models.yaml.
//   Z2. Only the entry of the route is changed; every other line, comments too, stays as it is.
import { Fault } from '@baton/contracts/fault'
import { isMap, isNode, isScalar, parseDocument, stringify, type YAMLMap } from 'yaml'
import { parseConfig } from '../catalogue/config-text.ts'
import { ModelsFile } from '../catalogue/catalogue.ts'
import type { CalibrationEntry } from './calibrate.ts'

const SECTION = '# How far confidences can be believed; written by baton models calibrate.\ncalibration:\n'

/** The lines of an entry: a value a line, lists as they are written in a row. */
const linesOf = (route: string, entry: CalibrationEntry): string =>
  [
    `  ${route}:`,
    ...Object.entries(entry).map(([key, value]) => `    ${key}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`),
    '',
  ].join('\n')

/** From the first character of the route's entry to behind its last line; the end of the section where it has none. */
const placeIn = (section: YAMLMap, route: string, text: string): { readonly from: number; readonly to: number } => {
  const lineEnd = (at: number): number => {
    const end = text.slice(0, at).trimEnd().length
    return text.indexOf('\n', end) + 1
  }
  const known = section.items.find(({ key }) => isScalar(key) && key.value === route)
  if (!isScalar(known?.key) || !isNode(known.value)) {
    const end = lineEnd(section.range?.[1] ?? text.length)
    return { from: end, to: end }
  }
  return { from: text.lastIndexOf('\n', known.key.range?.[0] ?? 0) + 1, to: lineEnd(known.value.range?.[1] ?? text.length) }
}

/** Throws `input.invalid` where the text has no route or model of this name, `config.invalid` for a text that is not right. */
export const refuseUnknownRoute = (text: string, route: string): void => {
  const { routes, models } = parseConfig(text, ModelsFile, 'models.yaml')
  if (!Object.hasOwn(routes, route) && !Object.hasOwn(models, route))
    throw new Fault(
      'input.invalid',
      `models.yaml has no route or model ${route}; it has ${[...Object.keys(routes), ...Object.keys(models)].join(', ')}.`,
      { route },
    )
}

/** The text of models.yaml with the calibration of a route in it (Z2). Throws `config.invalid` for a text that is not right before or after. */
export const withCalibration = (given: string, route: string, entry: CalibrationEntry): string => {
  refuseUnknownRoute(given, route)
  const text = given.endsWith('\n') ? given : `${given}\n`
  const section = parseDocument(text).get('calibration', true)
  const lines = linesOf(route, entry)
  if (isMap(section) && section.flow === true)
    throw new Fault('config.invalid', 'models.yaml: write calibration as a block, an entry under its name, so that it can be changed.')
  const place = isMap(section) ? placeIn(section, route, text) : undefined
  const changed = place === undefined ? `${text}\n${SECTION}${lines}` : text.slice(0, place.from) + lines + text.slice(place.to)
  parseConfig(changed, ModelsFile, 'models.yaml')
  return changed
}
