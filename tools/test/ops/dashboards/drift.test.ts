import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dashboardFiles } from '../../../src/ops/dashboards/build.js'

const FOLDER = join(__dirname, '../../../../ops/dashboards')

test('the committed dashboards are what the code makes: else run npm run ops:dashboards', () => {
  const made = dashboardFiles()
  expect(readdirSync(FOLDER).sort()).toEqual([...made.keys()].sort())
  for (const [name, text] of made) expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(text)
})

test('every panel has a description, a unit and its own title in its dashboard', () => {
  for (const text of dashboardFiles().values()) {
    const { panels } = JSON.parse(text) as { panels: Record<string, string>[] }
    const charts = panels.filter(({ type }) => type !== 'row')
    expect(charts.length).toBeGreaterThan(7)
    for (const { title, description } of charts) expect([title, description]).not.toContain('')
    expect(new Set(charts.map(({ title }) => title)).size).toBe(charts.length)
  }
})

test('every query of every panel is of the chosen namespace alone', () => {
  for (const text of dashboardFiles().values()) {
    const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] }
    for (const { expr } of panels.flatMap(({ targets }) => targets ?? [])) {
      const selectors = expr.match(/(?:[a-z_]+:)?(?:relay|process|nodejs)_[\w:]+/g) ?? []
      const chosen = expr.match(/namespace=~"\$namespace"/g) ?? []
      expect(expr).not.toContain('}{')
      expect([expr, chosen.length]).toEqual([expr, Math.max(1, chosen.length, selectors.length)])
    }
  }
})
