import { judgeElement } from '@relay/simulator/vendor/elements.js'
import { NOW_MS } from '../support/workspace.js'
import { ELEMENT_CASES } from './all.js'

const taken = ELEMENT_CASES.filter(({ refused }) => refused === undefined)

/** Otherwise a first try of relay ends in dead letters that MoEngage itself would not cause. */
it.each(taken.map(({ name, json, sent = [json] }): [string, readonly string[]] => [name, sent]))(
  'the simulator takes what relay takes: %s',
  (_, sent) => {
    expect(sent.map((text) => judgeElement(JSON.parse(text), NOW_MS))).toEqual(sent.map(() => null))
  },
)
