import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/folders.js'
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
const FOLDER = join(ROOT, 'docs/runbook')
/** Where the pages are hosted is an external label of each Prometheus; else the path in this repository. */
const RUNBOOK = '{{ or $externalLabels.runbook_base "docs/runbook" }}'
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
    expect(annotations.runbook_url).toBe(`${RUNBOOK}/${name}.md`)
    const text = readFileSync(join(FOLDER, `${name}.md`), 'utf8')
    const headings = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1])
    expect(headings).toEqual(HEADINGS)
  },
)

test('no page is left of an alert that is gone, and every link between pages leads somewhere', () => {
  // Written by hand beside the alerts' pages.
  const others = ['README.md', 'drills.md']
  const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md') && !others.includes(name))
  expect(pages.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort())
  for (const page of [...pages, 'README.md']) {
    const links = readFileSync(join(FOLDER, page), 'utf8').matchAll(/\]\((Relay\w+\.md)\)/g)
    for (const [, link] of links)
      expect([page, link, existsSync(join(FOLDER, link!))]).toEqual([page, link, true])
  }
})

test('the fields of a worker’s log that the pages name are those that it writes', () => {
  const written = readFileSync(join(ROOT, 'services/worker/src/observe/reporter.ts'), 'utf8')
  const named = readdirSync(FOLDER)
    .flatMap((page) => [...readFileSync(join(FOLDER, page), 'utf8').matchAll(/`(vendor\w+)`/g)])
    .map(([, field]) => field!)
  expect(named.length).toBeGreaterThan(0)
  for (const field of named) expect(written).toContain(`${field}:`)
})
