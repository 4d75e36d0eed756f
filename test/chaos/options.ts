import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  readonly runs: number
  /** Of the first run; each next run has the next seed. */
  readonly seed: number
  readonly durationMs: number
  /** Concurrent runs, each in its own process. */
  readonly jobs: number
  readonly rate: number
  /** null: all. */
  readonly faults: readonly string[] | null
  /** Schedules that aim at one mechanism each, instead of drawn faults. */
  readonly plots: readonly string[] | null
  /** Plays the scenarios at default settings, or those of `plots`, several at a time. */
  readonly scenarios: boolean
  readonly profile: 'quick' | 'default'
  /** null: relay as it is. */
  readonly mutant: string | null
  /** Folder of another built relay to run; null: this one. */
  readonly root: string | null
  /** Runs every mutant, or the one named, and the same without it. */
  readonly prove: boolean
  readonly record: boolean
  readonly keep: boolean
}

export const USAGE = `npm run test:faults -- [options]

  --runs N            runs, each with the next seed        (1)
  --seed S            of the first run                     (by the clock)
  --jobs N            runs at once, each in its own process  (1)
  --seconds N         load and faults of a run             (30)
  --rate N            elements a second, about             (300)
  --faults NAME,NAME  only these, or all that begin so     (all)
  --plot NAME,NAME    these schedules instead of drawn faults
  --profile NAME      quick: lease 2 s, timeout 1.5 s, window 6 s; default: the settings of a user
                      who sets nothing, with quiet periods                      (quick)
  --scenarios         every schedule at default settings, four at a time: 6 minutes
  --mutant NAME       run a deliberately broken relay, which must fail
  --root DIR          run the relay that was built there, e.g. an older one
  --prove             every mutant (or that of --mutant) in the run that shows it, then the same
                      run without it: the first must fail, the second hold
  --list              print the names of the faults, plots and mutants
  --record            add the table to docs/reports/reliability.md
  --keep              keep the logs of passed runs, too
`

const OPTIONS = {
  runs: { type: 'string', default: '1' },
  seed: { type: 'string', default: '' },
  jobs: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '30' },
  rate: { type: 'string', default: '300' },
  faults: { type: 'string', default: '' },
  plot: { type: 'string', default: '' },
  profile: { type: 'string', default: 'quick' },
  scenarios: { type: 'boolean', default: false },
  mutant: { type: 'string', default: '' },
  root: { type: 'string', default: '' },
  prove: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Reads the command line: options, `'list'`, or what is wrong (empty: help was asked for). */
export function parseOptions(args: readonly string[], freshSeed: number): Options | 'list' | Error {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
    if (values.help) return new Error('')
    if (values.list) return 'list'
    const whole = (name: string, text: string): number => {
      if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is no whole number from 1`)
      return Number(text)
    }
    return {
      runs: whole('runs', values.runs),
      seed: values.seed === '' ? freshSeed : whole('seed', values.seed),
      jobs: whole('jobs', values.jobs),
      durationMs: whole('seconds', values.seconds) * 1000,
      rate: whole('rate', values.rate),
      faults: values.faults === '' ? null : values.faults.split(','),
      plots: values.plot === '' ? null : values.plot.split(','),
      scenarios: values.scenarios,
      profile: profileOf(values.profile),
      mutant: values.mutant === '' ? null : values.mutant,
      root: values.root === '' ? null : resolve(values.root),
      prove: values.prove,
      record: values.record,
      keep: values.keep,
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function profileOf(name: string): Options['profile'] {
  if (name === 'quick' || name === 'default') return name
  throw new Error('--profile is neither quick nor default')
}
