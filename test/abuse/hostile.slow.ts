import { flood, UNREAD_FLOODS, type Flooded } from './hostile/floods.js'
import { GROUPS, Siege, startTarget, type Played } from './hostile/run.js'

/** A small api at rest needs about 110 MiB, and bodies of 20 bombs at one time a few tens more. */
const MAX_MIB = 420
/** 500 connections at one time are the most that the table opens, with the idle ones beside. */
const MAX_DESCRIPTORS = 1_200
const FLOOD_S = 5

describe('hostile input', () => {
  let siege: Siege
  const started = new Map<string, Promise<Played>>()
  const inputs = Object.values(GROUPS)
    .flat()
    .filter(({ isSlow }) => !isSlow)

  beforeAll(async () => {
    siege = new Siege(await startTarget(), () => performance.now())
    // Those that wait for a time limit wait beside the others.
    for (const input of inputs) {
      if (input.withinMs > 10_000) started.set(input.name, siege.play(input))
    }
  })

  afterAll(async () => {
    await siege.neighbour.stop()
    await siege.relay.stop()
  })

  test.each(inputs.filter(({ withinMs }) => withinMs <= 10_000))(
    '$name: answered $answers.0 and closed in time',
    async (input) => expectAnswers(await siege.play(input)),
  )

  test.each(inputs.filter(({ withinMs }) => withinMs > 10_000))(
    '$name: answered $answers.0 and closed in time',
    async (input) => {
      const played = started.get(input.name)
      if (played === undefined) throw new Error('was not started')
      expectAnswers(await played)
    },
  )

  test.each(UNREAD_FLOODS)(
    'the flood %s without credentials: producers are served, memory is bounded, and all is closed in time',
    async (name) => {
      const flooded = await flood(siege, name, FLOOD_S)
      expectServed(flooded)
      expect(flooded.goneMs).not.toBeNull()
    },
    120_000,
  )

  test(
    'the flood of pipelined requests of a producer: the others are served, memory is bounded',
    async () => expectServed(await flood(siege, 'pipelinedByProducer', FLOOD_S)),
    120_000,
  )

  test('costs neither memory nor descriptors in the end', () => {
    const { residentMiB, descriptors } = siege.facts()
    expect(residentMiB).toBeLessThan(MAX_MIB)
    expect(descriptors).toBeLessThan(80)
  })

  test('leaves every line of the log one JSON object of relay itself', () => {
    for (const line of siege.relay.api.lastLines()) {
      expect(JSON.parse(line)).toMatchObject({ service: 'relay-api' })
    }
    const failed = siege.relay.api.logs().filter(({ level }) => level === 'error')
    expect(failed).toEqual([])
  })

  test('does not harm a well-behaved producer beside it', () => {
    const { statuses, slowestMs } = siege.neighbour
    const accepted = statuses.get(200) ?? 0
    const refused = statuses.get(503) ?? 0
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(accepted).toBeGreaterThan(50)
    // Redis may be late for a moment on a machine that other suites use, too.
    expect(refused).toBeLessThanOrEqual(accepted / 50)
    expect(slowestMs).toBeLessThan(3_000)
  })
})

function expectAnswers({ input, exchanged, most }: Played): void {
  for (const { statuses, closed, text } of exchanged) {
    expect({ statuses, text: text.slice(0, 400) }).toMatchObject({ statuses: input.answers })
    expect(closed).toBe(true)
    expect(text.toLowerCase()).not.toContain('\nx-injected')
  }
  expect(most.residentMiB).toBeLessThan(MAX_MIB)
  expect(most.descriptors).toBeLessThan(MAX_DESCRIPTORS)
}

function expectServed({ during, mostMiB, slowestHealthMs }: Flooded): void {
  expect(during.others).toBe(0)
  expect(during.slowestMs).toBeLessThan(3_000)
  expect(slowestHealthMs).toBeLessThan(3_000)
  expect(mostMiB).toBeLessThan(MAX_MIB)
}
