import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'
import { parse } from 'yaml'

interface Alert {
  readonly alert: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

const file = parse(readFileSync(join(ROOT, 'ops/rules/relay-alerts.yml'), 'utf8')) as {
  groups: { rules: Alert[] }[]
}
const alerts = file.groups.flatMap(({ rules }) => rules)
const HEADINGS = [
  'Meaning',
  'What relay does by itself',
  'What to look at',
  'What to do',
  'How to confirm',
]

test.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s says what is wrong and leads to a page that says what to do',
  (name, { labels, annotations }) => {
    expect(['page', 'ticket']).toContain(labels.severity)
    expect(annotations.summary).toBeTruthy()
    expect(annotations.description).toBeTruthy()
    expect(annotations.runbook).toBe(`docs/runbook/${name}.md`)
    const text = readFileSync(join(ROOT, annotations.runbook!), 'utf8')
    const headings = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1])
    expect(headings).toEqual(HEADINGS)
  },
)

test('no page is left of an alert that is gone, and every link between pages leads somewhere', () => {
  const folder = join(ROOT, 'docs/runbook')
  // Written by hand beside the alerts' pages.
  const others = ['README.md', 'drills.md']
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && !others.includes(name))
  expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort())
  for (const page of [...pages, 'README.md']) {
    const links = readFileSync(join(folder, page), 'utf8').matchAll(/\]\((Relay\w+\.md)\)/g)
    for (const [, link] of links)
      expect([page, link, existsSync(join(folder, link!))]).toEqual([page, link, true])
  }
})
