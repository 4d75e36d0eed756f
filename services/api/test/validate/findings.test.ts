import { Findings, PATH_CHARACTERS } from '../../src/validate/findings.js'
import { RULES, type Rule, type RuleName } from '../../src/validate/rules.js'

const NAMES = Object.keys(RULES) as RuleName[]
const severityOf = (name: RuleName) => RULES[name].severity

describe('findings', () => {
  it('are kept apart by how grave they are, at most so many of each, and all are counted', () => {
    const findings = new Findings(2)
    for (const name of NAMES) findings.add(name, 0, 'a')
    const of = (severity: string) => NAMES.filter((name) => severityOf(name) === severity)
    expect(findings.problemCount).toBe(of('refuse').length)
    expect(findings.warningCount).toBe(of('warn').length)
    expect(findings.problems.map(({ rule }) => rule)).toEqual(of('refuse').slice(0, 2))
    expect(findings.warnings.map(({ rule }) => rule)).toEqual(of('warn').slice(0, 2))
  })

  it('are bounded in bytes as they are written, for any names', () => {
    const findings = new Findings(5_000)
    for (let i = 0; i < 5_000; i++) findings.add('missing', i, '\u0001'.repeat(100), 'type')
    expect(findings.problemCount).toBe(5_000)
    expect(JSON.stringify(findings.problems).length).toBeLessThan(256 * 1024)
    expect(findings.problems.map(({ index }) => index)).toEqual(findings.problems.map((_, i) => i))
  })

  it('name their place, cut where a hostile name would make it long', () => {
    const findings = new Findings(9)
    findings.add('missing', 3, 'x'.repeat(PATH_CHARACTERS), 'type')
    findings.add('missing', 4, 'x'.repeat(PATH_CHARACTERS + 1))
    const [whole, cut] = findings.problems
    expect(whole).toMatchObject({ index: 3, attribute: 'x'.repeat(PATH_CHARACTERS) })
    expect(whole?.message).toContain('type')
    expect(cut).toMatchObject({ index: 4, attribute: `${'x'.repeat(PATH_CHARACTERS)}…` })
  })
})

describe.each(NAMES)('the rule %s', (name) => {
  const { severity, type, source, message }: Rule = RULES[name]

  it('has words, a source and a type of the vendor’s', () => {
    expect(message('detail').trim()).not.toBe('')
    expect(source).not.toBe('')
    if (severity === 'warn') expect(type).toBe('Warning')
    else {
      expect(type).toMatch(
        /^(MissingAttribute|Attribute|Type|Value|ArrayField)Error$|^Payload too large$/,
      )
    }
  })
})
