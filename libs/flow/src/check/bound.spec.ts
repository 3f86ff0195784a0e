import { describe, expect, it } from '@jest/globals'
import { mistakesIn } from '../testing/compiled.ts'

const flow = (steps: string): readonly string[] =>
  mistakesIn(`input: { list: { type: list, items: string }, order: string }\nsteps:\n${steps}`)

describe('variables that are there in some places only', () => {
  it.each([
    ['the item and number of a map', '  - a: { map: =input.list, each: { set: { one: =item, at: =index } } }\n'],
    ['an item by another name', '  - a: { map: =input.list, as: word, each: { set: =word } }\n'],
    [
      'a map in a map sees both',
      '  - a: { map: =input.list, as: x, each: { map: =input.list, as: y, each: { set: { x: =x, y: =y } } } }\n',
    ],
    [
      'the last output and number of a loop',
      '  - a: { loop: { max: 3, until: it == "x" }, do: [{ b: { prompt: "{{ it }}, {{ index }}", returns: string } }] }\n',
    ],
    [
      'an output of a voter, and all of them',
      '  - a: { vote: { voters: 3, on: =it.n, rule: judge, judge: "{{ it }}" }, prompt: hi, returns: { n: number } }\n',
    ],
    ['what arrived', '  - a: { wait: { event: paid, match: event.order == input.order, timeout: 1h } }\n'],
    ['the fault of what failed', '  - a: { tool: x, failover: { set: =fault.code }, onLimit: { set: =fault.code } }\n'],
    [
      'the output that is taken back',
      '  - a: { tool: x, returns: { id: string }, undo: { tool: y, with: { id: =it.id, same: =a.id } } }\n',
    ],
  ])('%s', (_, steps) => {
    expect(flow(steps)).toEqual([])
  })

  it.each([
    ['  - a: { set: =item }\n', '"item" is what a map goes over; there is none here'],
    ['  - a: { set: =index }\n', '"index" is the number of a round of a map or loop; there is none here'],
    ['  - a: { set: =event.x }\n', '"event" is what a trigger or a wait for an event looks at; there is none here'],
    ['  - a: { map: =input.list, as: word, each: { set: =item } }\n', '"item" is what a map goes over; there is none here'],
    ['  - a: { map: =input.list, each: { set: =wrd }, as: word }\n', 'there is no step, input or param "wrd"; did you mean "word"?'],
    [
      '  - a: { parallel: { b: [{ c: hi }], d: "{{ c }}" } }\n',
      '"c" (line 3) does not come before this in the same block, so it has no output here',
    ],
    [
      '  - a: { parallel: { b: [{ c: hi }] } }\n  - e: "{{ c }}"\n',
      '"c" (line 3) does not come before this in the same block, so it has no output here',
    ],
    [
      '  - a: { loop: { max: 2, until: b.n > 1 }, do: [{ b: { prompt: hi, returns: { n: number } } }] }\n',
      '"b" (line 3) does not come before this in the same block, so it has no output here',
    ],
  ])('%s', (steps, message) => {
    expect(
      flow(steps)
        .filter((line) => / (reference|buffer)\./.test(line))
        .map((line) => line.replace(/^\S+ \S+ /, '')),
    ).toEqual([message])
  })

  it('have names that no step may have', () => {
    expect(flow('  - item: hi\n')).toEqual([
      '3:5 name.reserved "item" has a meaning of its own in expressions; give the step another name | item_step',
    ])
  })

  it('outcomes in every place lead forward', () => {
    expect(flow('  - a: { wait: { event: e, timeout: 1h }, onTimeout: c }\n  - b: hi\n  - c: ho\n')).toEqual([])
    expect(flow('  - a: hi\n  - b: { wait: { event: e, timeout: 1h }, onTimeout: a }\n')[0]).toContain('jump.backward')
    expect(flow('  - b: { vote: { voters: 3, tie: nobody }, prompt: hi }\n')[0]).toContain('jump.unknown there is no step "nobody"')
    expect(flow('  - b: { tool: x, failover: { tool: y, gate: { when: it.ok, then: next, else: c } } }\n  - c: hi\n')[0]).toContain(
      'jump.backward',
    )
  })

  it('waiting may be longer than the working time, not than the whole', () => {
    expect(mistakesIn('limits: { time: 1m, total: 1h }\nsteps:\n  - a: { wait: 30m }\n')).toEqual([])
    expect(mistakesIn('limits: { time: 1m, total: 1h }\nsteps:\n  - a: { wait: 2h }\n')).toEqual([
      '3:5 limit.exceeded this waits 7200000 ms, but the flow ends after 3600000 ms (limits.total)',
    ])
  })
})

describe('a switch is complete over what is declared, whoever gives it', () => {
  const kind = 'returns: { kind: x | y }'
  const ask = `{ prompt: hi, ${kind} }`
  const over = (path: string): string => `{ switch: =${path}.kind, cases: { x: { set: { kind: x } }, y: { set: { kind: y } } } }`

  it.each([
    ['a branch', `  - a: { parallel: { b: ${ask}, c: hi } }\n  - d: ${over('a.b')}\n`],
    ['a vote', `  - a: { vote: { voters: 3 }, prompt: hi, ${kind} }\n  - d: ${over('a')}\n`],
    ['a loop', `  - a: { loop: { max: 2 }, do: [{ b: ${ask} }] }\n  - d: ${over('a')}\n`],
    ['the output a gate looks at', `  - a: { prompt: hi, ${kind}, gate: [{ else: ${over('it')} }] }\n`],
  ])('%s', (_, steps) => {
    expect(flow(steps)).toEqual([])
    expect(flow(steps.replace(', y: { set: { kind: y } }', ''))).toEqual([
      expect.stringContaining('switch.incomplete this switch has no case for y, and no else'),
    ])
  })
})
