import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/folders.js'
import { metricCatalogue } from '../../src/ops/metrics.js'
import { metricsDocument } from '../../src/ops/metrics.js'

/** Prettier sets the widths of columns; the words are what counts. */
const words = (markdown: string) =>
  markdown.split('\n').map((line) => line.replaceAll(/-{3,}/g, '-').replaceAll(/\s+/g, ' ').trim())

const metrics = metricCatalogue()

test('docs/reference/metrics.md is as npm run docs:metrics writes it', () => {
  const written = readFileSync(join(ROOT, 'docs/reference/metrics.md'), 'utf8')
  expect(words(written)).toEqual(words(metricsDocument(metrics)))
})

test('every metric that a dashboard or a rule names is in it', () => {
  const files = [
    ...['overview', 'intake', 'delivery', 'failures', 'runtime'].map(
      (name) => `ops/dashboards/relay-${name}.json`,
    ),
    'ops/rules/relay-alerts.yml',
    'ops/rules/relay-recording.yml',
  ]
  const text = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  const named = new Set(
    [...text.matchAll(/(?<![:\w])(relay|nodejs|process)_\w+/g)].map(([name]) => name),
  )
  const histograms = metrics.flatMap(({ name, type }) => (type === 'histogram' ? [name] : []))
  const known = new Set([
    ...metrics.map(({ name }) => name),
    ...histograms.flatMap((name) => ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`)),
  ])
  expect(named.size).toBeGreaterThan(30)
  // What a recording rule is named after begins behind a colon, so it is not among them.
  expect([...named].filter((name) => !known.has(name))).toEqual([])
})
