import { SHADOWED, WORKSPACE_MODES } from '@relay/shared/config/workspace.js'
import { routeOf, ShadowDrain } from '../src/shadow.js'
import { WindowMemory } from '../src/fetch/loader.js'
import { PartitionWindow } from '../src/fetch/window.js'
import { event, GRACE_MS, Heart, pass, turn } from './support/fakes.js'

it('an element accepted live is sent in every mode of the workspace', () => {
  for (const mode of WORKSPACE_MODES) {
    for (const shadowed of SHADOWED) expect(routeOf('live', { mode, shadowed })).toBe('send')
  }
})

it.each([
  ['shadow', 'drop', 'drop'],
  ['live', 'drop', 'drop'],
  ['shadow', 'send', 'keep'],
  ['live', 'send', 'send'],
] as const)('accepted in shadow; now %s, to %s: %s', (mode, shadowed, route) => {
  expect(routeOf('shadow', { mode, shadowed })).toBe(route)
})

describe('elements accepted in shadow', () => {
  let heart: Heart
  let lane: ShadowDrain
  let dropped: number

  beforeEach(() => {
    jest.useFakeTimers()
    heart = new Heart()
    dropped = 0
    lane = new ShadowDrain({
      ...{ runtime: heart.runtime, settler: heart.settler, inFlight: heart.inFlight },
      memory: new WindowMemory(1e6),
      onIdle: () => undefined,
      mayServe: () => true,
      onDropped: ({ items }) => {
        dropped += items.length
        return Promise.reject(new Error('the report is not stored'))
      },
    })
    void lane.run()
  })

  afterEach(async () => {
    heart.redis.isAway = false
    void lane.stop()
    await pass(10_000)
    jest.useRealTimers()
  })

  function serve(): PartitionWindow {
    const [{ tag, partition, claim }] = heart.owned([[event(1)]]) as [PartitionWindow]
    const window = new PartitionWindow(tag, partition, claim)
    lane.serve(window, heart.queues.get(tag)!.asQueue)
    return window
  }

  it('are dropped once the grace of a late arrival is over, without another wake-up', async () => {
    const open = heart.inFlight.begin(['APP/realtime/0/0'])!
    serve()
    await turn()
    open.mayArriveLate()
    open.end()
    lane.wake()
    await pass(GRACE_MS)
    expect([dropped, heart.waiting]).toEqual([1, []])
  })

  it('wait until Redis can be read, and leave it although the report was not stored', async () => {
    heart.redis.isAway = true
    serve()
    await pass(1_000)
    heart.redis.isAway = false
    await pass(250)
    expect([dropped, heart.waiting]).toEqual([1, []])
  })

  it('of a partition that was let go of are left to others', async () => {
    heart.redis.isAway = true
    lane.drop(serve())
    heart.redis.isAway = false
    await pass(1_000)
    expect(dropped).toBe(0)
  })
})
