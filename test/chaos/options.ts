import { parseArgs } from 'node:util'

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
  prove: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** What the command line asks for; null where it says nothing. */
export type Options = ReturnType<typeof read>

/** Reads the command line: options, `'list'`, or what is wrong (empty: help was asked for). */
export function parseOptions(args: readonly string[], freshSeed: number): Options | 'list' | Error {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
    if (values.help) return new Error('')
    return values.list ? 'list' : read(values, freshSeed)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function read(
  values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'],
  freshSeed: number,
) {
  const { scenarios, prove, record, keep } = values
  const whole = (name: 'runs' | 'seed' | 'jobs' | 'seconds' | 'rate'): number => {
    const text = values[name]
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is no whole number from 1`)
    return Number(text)
  }
  const list = (text: string) => (text === '' ? null : text.split(','))
  return {
    ...{ scenarios, prove, record, keep },
    profile: profileOf(values.profile),
    runs: whole('runs'),
    seed: values.seed === '' ? freshSeed : whole('seed'),
    jobs: whole('jobs'),
    durationMs: whole('seconds') * 1000,
    rate: whole('rate'),
    faults: list(values.faults),
    plots: list(values.plot),
    mutant: values.mutant === '' ? null : values.mutant,
  }
}

function profileOf(name: string): 'quick' | 'default' {
  if (name === 'quick' || name === 'default') return name
  throw new Error('--profile is neither quick nor default')
}
