import fc from 'fast-check'
import { pack, type PackLimits } from '../../src/batch/pack.js'
import { Shapes } from '../../src/batch/shape.js'
import type { Item, PartitionWindow } from '../../src/fetch/window.js'
import { mixedPartitions, windowsOf, type Spec } from '../support/windows.js'

const AMPLE = { users: 1e9, events: 1e9, devices: 1e9 }
const LIMITS: PackLimits = {
  bodyBytes: 4_000,
  affordable: AMPLE,
  most: AMPLE,
  limits: {
    usersPerWindow: 1e9,
    eventsPerWindow: 1e9,
    devicesPerWindow: null,
    maxBodyBytes: 128_000,
  },
  shapes: new Shapes([]),
  mostWindows: 100,
  windowByWindow: false,
}

function projectOf({ element }: Item): string | undefined {
  return element.provenance.projectCode
}

/** Packs and settles until nothing is left: what each request carried, in order. */
function drain(windows: readonly PartitionWindow[], limits: PackLimits): Item[][] {
  const requests: Item[][] = []
  for (;;) {
    const { items } = pack(windows, limits)
    if (items.length === 0) return requests
    requests.push([...items])
    for (const window of windows) {
      window.settle(items.filter((item) => item.window === window))
    }
  }
}

describe('packing elements of several projects', () => {
  test('a body is of one project, and a customer keeps its order across projects', () => {
    const limits = fc.record({ mostWindows: fc.integer({ min: 1, max: 4 }), windowByWindow: fc.boolean() }) // prettier-ignore
    fc.assert(
      fc.property(mixedPartitions, limits, (specs, given) => {
        const windows = windowsOf(specs)
        const posted = windows.flatMap(({ chunks }) => chunks.flatMap(({ elements }) => elements))
        const requests = drain(windows, { ...LIMITS, ...given })
        for (const items of requests) expect(new Set(items.map(projectOf)).size).toBe(1)
        const sent = requests.flat().map(({ element }) => element)
        expect(sent).toHaveLength(posted.length)
        for (const customer of new Set(posted.map((element) => element.customer))) {
          const own = (element: { customer: string }): boolean => element.customer === customer
          expect(sent.filter(own)).toEqual(posted.filter(own))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('an element behind one of another project of its customer waits for the next request', () => {
    const element = { customer: 1, kind: 'event', bytes: 50, cost: 1 } as const
    const other = { ...element, customer: 2 }
    const [window] = windowsOf([
      [[{ ...element, project: 'A' }, { ...element, project: 'B' }, { ...element, project: 'A' }, { ...other, project: 'A' }]],
    ]) // prettier-ignore
    const requests = drain(window ? [window] : [], LIMITS)
    expect(requests.map((items) => items.map(({ index }) => index))).toEqual([[0, 3], [1], [2]])
  })

  test('fills bodies although the projects alternate', () => {
    const elements = Array.from({ length: 400 }, (_, n): Spec => {
      const project = ['A', 'B', 'C'][n % 3]
      const plain = { customer: n, kind: 'event', bytes: 100, cost: 1 } as const
      return project === undefined ? plain : { ...plain, project }
    })
    const chunks = Array.from({ length: 40 }, (_, i) => elements.slice(i * 10, i * 10 + 10))
    const requests = drain(windowsOf([chunks]), LIMITS)
    const bytes = requests.map((items) => items.reduce((sum, item) => sum + item.element.jsonBytes + 1, 0)) // prettier-ignore
    // All bodies but the last of each project are full to within an element.
    const full = bytes.filter((length) => length > LIMITS.bodyBytes - 300)
    expect(requests.length - full.length).toBeLessThanOrEqual(3)
  })

  test('what one project cannot afford holds up no other', () => {
    const event = { customer: 1, kind: 'event', bytes: 50, cost: 1, project: 'A' } as const
    const user = { customer: 2, kind: 'user', bytes: 50, cost: 1, project: 'B' } as const
    const batch = pack(windowsOf([[[event, user]]]), {
      ...LIMITS,
      affordable: { users: 10, events: 0, devices: 0 },
    })
    expect(batch.items.map(projectOf)).toEqual(['B'])
    expect(batch.projectCode).toBe('B')
  })
})
