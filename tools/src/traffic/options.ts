import { parseArgs } from 'node:util'

export interface TrafficOptions {
  readonly url: string
  readonly appId: string
  readonly secret: string
  /** Elements a second, mean. */
  readonly rate: number
  /** null: until stopped. */
  readonly durationMs: number | null
  readonly postsOf: number
  readonly seed: number
  readonly lane: 'realtime' | 'backfill'
}

/** Settings of a running `npm start`. */
type Running = Readonly<Record<string, string | undefined>> | null

export const USAGE = `RELAY_PRODUCER_SECRET=… npm run traffic -- --app-id ID [options]

  --url URL        where relay's intake is            (that of npm start, else http://127.0.0.1:8080)
  --app-id ID      workspace to post to               (required)
  --secret SECRET  a producer's secret, visible in the process list (RELAY_PRODUCER_SECRET)
  --rate N         elements a second, mean            (50)
  --duration S     seconds; without it until Ctrl-C
  --posts-of N     elements in one request            (10)
  --seed N         same seed, same traffic            (1)
  --lane LANE      realtime or backfill               (realtime)
`

const OPTIONS = {
  url: { type: 'string' },
  'app-id': { type: 'string', default: '' },
  secret: { type: 'string', default: '' },
  rate: { type: 'string', default: '50' },
  duration: { type: 'string', default: '' },
  'posts-of': { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  lane: { type: 'string', default: 'realtime' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Reads the command line: the options, or what is wrong with them (empty: help was asked for). */
export function readOptions(
  args: string[],
  env: Readonly<Record<string, string | undefined>> = {},
  running: () => Running = () => null,
): { readonly options: TrafficOptions } | { readonly problems: readonly string[] } {
  let values
  try {
    ;({ values } = parseArgs({ args, options: OPTIONS }))
  } catch (error) {
    return { problems: [(error as Error).message] }
  }
  if (values.help) return { problems: [] }
  const problems: string[] = []
  const number = (name: string, text: string, min: number, max: number) => {
    const value = Number(text)
    if (text !== '' && value >= min && value <= max) return value
    problems.push(`--${name} must be a number from ${min} to ${max}`)
    return min
  }
  const url = values.url ?? defaultUrl(env, running)
  if (!URL.canParse(url)) problems.push('--url is not a URL')
  if (values['app-id'] === '') problems.push('--app-id is required')
  const secret = values.secret === '' ? (env.RELAY_PRODUCER_SECRET ?? '') : values.secret
  if (secret === '') problems.push('RELAY_PRODUCER_SECRET is required')
  const { lane } = values
  if (lane !== 'realtime' && lane !== 'backfill') problems.push('--lane is realtime or backfill')
  const seconds = values.duration === '' ? null : number('duration', values.duration, 0.1, 1e6)
  const options: TrafficOptions = {
    url: url.replace(/\/+$/, ''),
    appId: values['app-id'],
    secret,
    rate: number('rate', values.rate, 0.01, 1e6),
    durationMs: seconds === null ? null : seconds * 1000,
    postsOf: Math.floor(number('posts-of', values['posts-of'], 1, 1000)),
    seed: Math.floor(number('seed', values.seed, 0, 2 ** 31)),
    lane: lane === 'backfill' ? 'backfill' : 'realtime',
  }
  return problems.length > 0 ? { problems } : { options }
}

/** As the command line finds the intake. */
function defaultUrl(env: NonNullable<Running>, running: () => Running): string {
  const port = env.PORT ?? running()?.PORT ?? '8080'
  return env.RELAY_INTAKE_URL ?? `http://127.0.0.1:${port}`
}
