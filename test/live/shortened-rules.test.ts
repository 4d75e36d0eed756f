import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { parse } from 'yaml'
import { shortenRules } from './shortened-rules.js'

const rules = (expr: string, holds = '2m') =>
  JSON.stringify({ groups: [{ name: 'g', rules: [{ alert: 'A', expr, for: holds }] }] })

function shortened(expr: string, holds?: string) {
  const { groups } = parse(shortenRules(rules(expr, holds), 20)) as {
    groups: { rules: { expr: string; for: string }[] }[]
  }
  const [rule] = groups[0]!.rules
  return [rule!.expr, rule!.for]
}

test.each([
  // expression, for, expression of a drill, for
  ['rate(a[5m]) > 14.4 * 0.01', '2m', 'rate(a[15s]) > 14.4 * 0.01', '6s'],
  ['deriv(b:c[1h]) > 1', '15m', 'deriv(b:c[180s]) > 1', '45s'],
  ['x[3d] and y[30s]', '30s', 'x[12960s] and y[5s]', '2s'],
  ['max(relay_drain_eta_seconds) > 7200', '1h', 'max(relay_drain_eta_seconds) > 360', '180s'],
  [
    'l_bucket{lane="realtime",le=~"60([.]0)?"} > 7',
    '10s',
    'l_bucket{lane="realtime",le=~"10([.]0)?"} > 7',
    '1s',
  ],
])('%s for %s is in a drill %s for %s', (expr, holds, shortExpr, shortHolds) =>
  expect(shortened(expr, holds)).toEqual([shortExpr, shortHolds]),
)

test("relay's own rules lose nothing but time", () => {
  for (const name of ['relay-alerts.yml', 'relay-recording.yml']) {
    const text = readFileSync(join(ROOT, 'ops/rules', name), 'utf8')
    const names = (yaml: string) =>
      (
        parse(yaml) as { groups: { rules: { alert?: string; record?: string }[] }[] }
      ).groups.flatMap((group) => group.rules.map(({ alert, record }) => alert ?? record))
    const short = shortenRules(text, 20)
    expect(names(short)).toEqual(names(text))
    // No window is left as it was.
    expect(short).not.toMatch(/\[\d+[mhd]\]|le=~"60([.]0)?"|7200/)
  }
})
