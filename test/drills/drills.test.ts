import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { DRILLS } from './all.js'
import { sectionsOf, stepOf } from './page.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const pages = (name: string) => read(`docs/runbook/${name}.md`)
const record = read('docs/reports/drills.md')

test.each(DRILLS.map((drill) => [drill.name, drill] as const))(
  '%s follows pages that exist, and is on record',
  (name, { title, alerts, steps }) => {
    const rules = read('ops/rules/relay-alerts.yml')
    for (const alert of alerts) expect(rules).toContain(`alert: ${alert}\n`)
    expect(steps.length).toBeGreaterThan(0)
    const part = record.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? ''
    for (const { page, step } of steps) {
      // The words on record are those that stand there today.
      expect(part).toContain(stepOf(pages(page), step))
    }
    for (const alert of alerts) expect(part).toContain(`[${alert}](../runbook/${alert}.md) fires`)
  },
)

test('a page is read by its headings, a step by its number', () => {
  const page = '# A\n\n## What to do\n\n1. One.\n2. Two `x`.\n\n## How to confirm\n\n- Yes.\n'
  expect(stepOf(page, 2)).toBe('Two `x`.')
  expect(sectionsOf(page).get('How to confirm')).toBe('- Yes.')
  expect(() => stepOf(page, 3)).toThrow('no step 3')
})
