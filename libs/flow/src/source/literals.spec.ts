import { describe, expect, it } from '@jest/globals'
import { parseCount, parseMoney, parsePercent, parseSize } from './literals.ts'
import { cronProblem, isZone } from './schedule.ts'

describe('literals with units', () => {
  it.each([
    ['80%', 0.8],
    ['7%', 0.07],
    ['12.5%', 0.125],
    ['100%', 1],
    ['80', undefined],
    ['80 %', undefined],
    ['%', undefined],
  ])('the share %s', (text, share) => {
    expect(parsePercent(text)).toBe(share)
  })

  it.each([
    ['800', 800],
    ['20k', 20_000],
    ['1.5M', 1_500_000],
    ['0.5', undefined],
    ['0', undefined],
    ['20K', undefined],
    ['many', undefined],
  ])('the number %s', (text, count) => {
    expect(parseCount(text)).toBe(count)
  })

  it.each([
    ['64KB', 65_536],
    ['10MB', 10_485_760],
    ['1.5KB', 1_536],
    ['64', undefined],
    ['64kb', undefined],
  ])('the size %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it('money is an amount of dollars, in millionths', () => {
    expect(['0.05 USD', '2 USD', '0.05', '0.05 EUR'].map(parseMoney)).toEqual([50_000, 2_000_000, undefined, undefined])
  })
})

describe('schedules', () => {
  it.each(['* * * * *', '0 6 * * 1-5', '*/15 8-18 1,15 jan-mar mon', '0 0 29 2 *', '0 0 31 2 1'])('%s is one', (text) => {
    expect(cronProblem(text)).toBeUndefined()
  })

  it.each([
    ['0 6 * *', 'has 4 fields, not the five of minute, hour, day of the month, month and day of the week'],
    ['0 24 * * *', 'has no hour "24"; it goes from 0 to 23'],
    ['61 6 * * *', 'has no minute "61"; it goes from 0 to 59'],
    ['0 6 * * fry', 'has no day of the week "fry"; it goes from 0 to 7'],
    ['0 6 5-1 * *', 'has no day of the month "5-1"; it goes from 1 to 31'],
    ['*/0 * * * *', 'has no minute "*/0"; it goes from 0 to 59'],
    ['0 0 31 2 *', 'names a day that no month has'],
  ])('%s', (text, problem) => {
    expect(cronProblem(text)).toBe(problem)
  })

  it('time zones have names', () => {
    expect(['Europe/Berlin', 'UTC', 'Europe/Berlim', ''].map(isZone)).toEqual([true, true, false, false])
  })
})
