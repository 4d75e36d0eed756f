import { DASHBOARDS, dashboardFiles } from '../../../src/ops/dashboards/build.js'
import { colourOf } from '@relay/test/drills/boxes.js'

/** Of every box that has a colour: a value of a healthy relay, and one that wakes somebody. */
const EXAMPLES: Readonly<Record<string, readonly [healthy: number, sick: number]>> = {
  'Producers: refused posts': [0, 0.5],
  'relay: intake unavailable': [0, 0.5],
  Redis: [1, 0],
  'relay: workers alive': [1, 0],
  'MoEngage: failing requests': [0, 1],
  'Workspaces held': [0, 1],
  'Delivered within 60 s (1 h)': [1, 0.5],
  'Not dead-lettered (1 h)': [1, 0.9],
  'Oldest realtime element': [0.2, 3_600],
  'Drained in': [0, 86_400],
  'Customers held': [0, 100],
  'Workspaces file faulty': [0, 1],
  'Waiting for a workspace that is gone': [0, 5],
}

const boxes = DASHBOARDS.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels)).filter(
  ({ limits }) => limits !== undefined,
)

test('every coloured box is green when all is well and red when it is not', () => {
  const wrong = boxes.filter(({ title, limits }) => {
    const [healthy, sick] = EXAMPLES[title] ?? [NaN, NaN]
    return colourOf(healthy, limits) !== 'green' || colourOf(sick, limits) !== 'red'
  })
  expect(wrong.map(({ title }) => title)).toEqual([])
})

interface Panel {
  readonly title: string
  readonly panels?: readonly Panel[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly thresholds?: { readonly steps: readonly { value: number | null; color: string }[] }
    }
  }
}

test("Grafana's thresholds say the same", () => {
  const panels = [...dashboardFiles().values()].flatMap((text) => {
    const all = (JSON.parse(text) as { panels: readonly Panel[] }).panels
    return all.flatMap((panel) => [panel, ...(panel.panels ?? [])])
  })
  for (const { title } of boxes) {
    const steps = panels.find((panel) => panel.title === title)?.fieldConfig?.defaults.thresholds
      ?.steps
    const colours = EXAMPLES[title]!.map(
      (value) => steps?.filter((step) => step.value === null || value >= step.value).at(-1)?.color,
    )
    expect([title, ...colours]).toEqual([title, 'green', 'red'])
  }
})

test('a Redis without room is red, too, and called full', () => {
  const redis = boxes.find(({ title }) => title === 'Redis')!
  expect([colourOf(0.5, redis.limits), redis.words?.['0.5']]).toEqual(['red', 'FULL'])
})
