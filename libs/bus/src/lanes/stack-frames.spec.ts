import { describe, expect, it } from '@jest/globals'
import { stackFrames } from './stack-frames.ts'

const withStack = (stack: string): Error => Object.assign(new Error('x'), { stack })

describe('stack frames', () => {
  it('say function, file and line without the machine they ran on', () => {
    const error = withStack(
      [
        'Error: order "4711" at 3',
        '    at toFault (file:///srv/app/libs/contracts/dist/fault.js:1:1)',
        '    at decode (file:///srv/app/libs/contracts/dist/envelope.js:62:11)',
        '    at async Intake.accept (/home/ada/my work/services/gateway/src/intake/intake.ts:9:3)',
        '    at node:internal/process/task_queues:95:5',
        '    at Query.run (/srv/app/node_modules/pg/lib/query.js:5:1)',
        '    at file:///opt/tools/mine.mjs:7:2',
      ].join('\n'),
    )
    expect(stackFrames(error)).toEqual([
      'decode libs/contracts/src/envelope.ts:62',
      'Intake.accept services/gateway/src/intake/intake.ts:9',
      'mine.mjs:7',
    ])
  })

  it('are those of the error at the bottom; of modules when there are no others', () => {
    const cause = withStack('Error: a\n    at parse (/srv/node_modules/@scope/csv/dist/parse.js:3:9)')
    expect(stackFrames(new Error('b', { cause: new Error('c', { cause }) }))).toEqual(['parse @scope/csv/src/parse.ts:3'])
  })

  it('are none of what is no error, and few of a deep one', () => {
    const deep = Array.from({ length: 90 }, (_, n) => `    at f${n} (/srv/libs/a.ts:${n}:1)`).join('\n')
    expect([stackFrames('text'), stackFrames(undefined), stackFrames(withStack(`Error: x\n${deep}`)).length]).toEqual([[], [], 5])
    expect(stackFrames(new Error('here'))[0]).toContain('stack-frames.spec.ts')
  })
})
