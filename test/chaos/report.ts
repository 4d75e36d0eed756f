import { LAWS } from './oracle/model.js'
import type { RunResult } from './run.js'

export const TABLE_HEAD = [
  '| seed | faults | acknowledged | delivered | dead letters | again, per cause | recovery | drain | verdict |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
].join('\n')

/** Details shown per law; the files have all. */
const SHOWN = 5

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, n]) => (n === 1 ? name : `${name} ×${String(n)}`)).join(', ')
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

export function tableRow(result: RunResult): string {
  const { seed, injected, posted, delivered, deadLetters, duplicates } = result
  const again = [...duplicates].map(([cause, n]) => `${cause} ${String(n)}`).join(', ')
  const broken = brokenLaws(result)
  const cells = [
    String(seed),
    counted(injected.map(({ name }) => name)),
    String(posted),
    String(delivered),
    String(deadLetters),
    again === '' ? '–' : again,
    seconds(result.recoveryMs),
    seconds(result.drainMs),
    broken === '' ? 'held' : `**broken: ${broken}**`,
  ]
  return `| ${cells.join(' | ')} |`
}

export function violationLines({ violations }: RunResult): string[] {
  return LAWS.flatMap((law) => {
    const own = violations.filter((v) => v.law === law)
    if (own.length === 0) return []
    const more = own.length > SHOWN ? [`    … ${String(own.length - SHOWN)} more`] : []
    const shown = own.slice(0, SHOWN).map(({ detail }) => `    ${detail}`)
    return [`  BROKEN: ${law} (${String(own.length)})`, ...shown, ...more]
  })
}

/** The laws that a run broke, '' for none. */
export function brokenLaws({ violations }: RunResult): string {
  return LAWS.filter((law) => violations.some((v) => v.law === law)).join('; ')
}
