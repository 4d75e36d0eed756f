import fc from 'fast-check'
import type { Kind } from '@relay/shared/element.js'
import { PartitionWindow } from '../../src/fetch/window.js'
import { plainElement } from './plain-element.js'

export interface Spec {
  /** Index of the customer within its partition. */
  readonly customer: number
  readonly kind: Kind
  readonly bytes: number
  readonly cost: number
  /** MoEngage project; absent: none. */
  readonly project?: string
}

/** Chunks of one partition, oldest first. */
export type PartitionSpec = readonly (readonly Spec[])[]

const spec: fc.Arbitrary<Spec> = fc.record({
  customer: fc.integer({ min: 0, max: 5 }),
  kind: fc.constantFrom('user' as const, 'event' as const, 'device' as const),
  bytes: fc.integer({ min: 20, max: 400 }),
  cost: fc.integer({ min: 1, max: 5 }),
})

export const partitions = partitionsOf(spec)

/** Elements of several projects and of none, in any mixture. */
export const mixedPartitions = partitionsOf(
  fc
    .tuple(spec, fc.constantFrom(undefined, 'EU', 'US'))
    .map(([plain, project]) => (project === undefined ? plain : { ...plain, project })),
)

function partitionsOf(element: fc.Arbitrary<Spec>): fc.Arbitrary<PartitionSpec[]> {
  return fc.array(fc.array(fc.array(element, { minLength: 1, maxLength: 8 }), { maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  })
}

/** Windows as the loader would fill them. Every element's JSON is unique and names its customer. */
export function windowsOf(specs: readonly PartitionSpec[]): PartitionWindow[] {
  let acceptedAtMs = 1_000
  return specs.map((chunks, index) => {
    const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index }
    const window = new PartitionWindow(`APP/realtime/0/${index}`, partition, 'me:1')
    let n = 0
    const loaded = chunks.map((elements, c) => {
      acceptedAtMs += 1
      return {
        id: String(c),
        bytes: 1,
        done: Buffer.alloc(0),
        elements: elements.map(({ customer, kind, bytes, cost, project }) => {
          n += 1
          const json = `{"p":${index},"c":${customer},"n":${n},"x":"`
          return plainElement({
            kind,
            cost: kind === 'event' ? cost : 1,
            customer: `${index}-${customer}`,
            posted: 1 as const,
            json: Buffer.from(`${json}${'x'.repeat(bytes)}"}`),
            provenance: {
              requestId: 'r',
              acceptedAtMs,
              ...(project === undefined ? {} : { projectCode: project }),
            },
          })
        }),
      }
    })
    window.load(loaded, loaded.length)
    return window
  })
}
