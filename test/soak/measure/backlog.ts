/**
 * `npm run measure:backlog`: the most memory that one worker takes while a backlog of a million
 * elements waits: of many customers, all of one customer, and all of a budget that is exhausted, so
 * that the worker looks as far ahead as it may. Takes some minutes, writes docs/reports/backlog-memory.md;
 * ends with status 1 when memory is over the bound or something did not arrive, or twice.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { writePage } from '@relay/tools/docs/page.js'
import { ROOT } from '@relay/tools/folders.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Relay } from '../../support/relay.js'
import { numberedEvent, numberedUser } from '../../support/shop.js'

const { values } = parseArgs({
  options: {
    elements: { type: 'string', default: '1000000' },
    out: { type: 'string', default: join(ROOT, 'docs/reports/backlog-memory.md') },
  },
})
const ELEMENTS = Number(values.elements)
const PER_POST = 2_000
/** As the fault suite and the benchmark allow a process. */
const MAX_BYTES = 400e6
const NO_LIMIT = '1000000000'
const EXHAUSTED_FOR_MS = 60_000
const EVENTS_BESIDE = 500

interface Case {
  readonly name: string
  readonly customers: number
  /** Of a budget that lets through only what the vendor's default allows in a window. */
  readonly exhausted: boolean
}

const CASES: readonly Case[] = [
  { name: 'events of 100,000 customers', customers: 100_000, exhausted: false },
  { name: 'events, all of one customer', customers: 1, exhausted: false },
  { name: 'users of 100,000 customers, 5,000 a minute', customers: 100_000, exhausted: true },
]

interface Measured {
  readonly name: string
  readonly atRest: number
  readonly atMost: number
  readonly seconds: number
  readonly delivered: string
  readonly faults: readonly string[]
}

async function post(relay: Relay, { customers, exhausted }: Case): Promise<void> {
  const element = exhausted ? numberedUser : numberedEvent
  for (let from = 0; from < ELEMENTS; from += PER_POST) {
    const size = Math.min(PER_POST, ELEMENTS - from)
    const elements = Array.from({ length: size }, (_, i) =>
      element(`customer-${(from + i) % customers}`, from + i),
    )
    const { status } = await relay.postElements(elements)
    if (status !== 200) throw new Error(`a post was answered ${status}`)
  }
}

async function measure(one: Case): Promise<Measured> {
  const users = one.exhausted ? {} : { MOENGAGE_USERS_PER_MINUTE: NO_LIMIT }
  const relay = await Relay.start({
    workers: 0,
    env: {
      MOENGAGE_EVENTS_PER_MINUTE: NO_LIMIT,
      ...users,
      RELAY_MAX_BACKLOG_BYTES: String(4 * 1024 ** 3),
    },
    simulator: {
      record: 'counts',
      eventsPerWindow: Number(NO_LIMIT),
      ...(one.exhausted ? {} : { usersPerWindow: Number(NO_LIMIT) }),
    },
  })
  try {
    await post(relay, one)
    const { pid } = await relay.addWorker()
    const atRest = memoryBytes(pid, 'VmRSS')
    const startedMs = performance.now()
    const delivered = await (one.exhausted ? lookAhead(relay) : drain(relay))
    const atMost = memoryBytes(pid, 'VmHWM')
    const faults = atMost > MAX_BYTES ? [`takes ${megabytes(atMost)}`] : []
    return {
      ...{ name: one.name, atRest, atMost },
      seconds: (performance.now() - startedMs) / 1000,
      delivered: delivered.words,
      faults: [...faults, ...delivered.faults],
    }
  } finally {
    await relay.stop()
  }
}

interface Delivered {
  readonly words: string
  readonly faults: readonly string[]
}

async function drain(relay: Relay): Promise<Delivered> {
  const { totals } = relay.simulator.record
  await waitFor(() => totals.events >= ELEMENTS, {
    what: 'the backlog to be delivered',
    timeoutMs: 1_800_000,
    everyMs: 200,
  })
  const twice = totals.events - ELEMENTS
  const words = `all, each once, in ${totals.requests.toLocaleString('en')} requests`
  return { words, faults: twice > 0 ? [`${twice} arrived twice`] : [] }
}

/** Events beside the backlog pass it meanwhile. */
async function lookAhead(relay: Relay): Promise<Delivered> {
  const { record } = relay.simulator
  const endsAtMs = performance.now() + EXHAUSTED_FOR_MS
  const events = Array.from({ length: EVENTS_BESIDE }, (_, i) => {
    return numberedEvent(`beside-${i}`, i)
  })
  await waitFor(() => performance.now() >= endsAtMs - EXHAUSTED_FOR_MS / 2, {
    what: 'half of the time',
    timeoutMs: EXHAUSTED_FOR_MS,
  })
  const { status } = await relay.postElements(events)
  await waitFor(() => performance.now() >= endsAtMs, {
    what: 'the time to pass',
    timeoutMs: EXHAUSTED_FOR_MS,
  })
  const { totals, statuses } = record
  const refused = statuses.get(429) ?? 0
  return {
    words: `${totals.users.toLocaleString('en')} users in ${EXHAUSTED_FOR_MS / 1000} s, and ${totals.events} of ${EVENTS_BESIDE} events posted behind them`,
    faults: [
      ...(status === 200 ? [] : [`the events were answered ${status}`]),
      ...(refused === 0 ? [] : [`${refused} requests were refused with 429`]),
    ],
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function page(all: readonly Measured[]): string {
  const rows = all.map(({ name, atRest, atMost, seconds, delivered }) => {
    const cells = [name, megabytes(atRest), megabytes(atMost), `${seconds.toFixed(0)} s`, delivered]
    return `| ${cells.join(' | ')} |`
  })
  return `# Memory of a worker before a large backlog

Made by \`npm run measure:backlog\`: ${ELEMENTS.toLocaleString('en')} elements of about 300 bytes wait when the one worker starts, with budgets
that do not bind, save in the last row. Resident memory of that process as the operating system counts it; at most ${megabytes(MAX_BYTES)}.

A worker loads 16 MB ahead, then one body per lane, and looks ahead over 64 MB for all partitions together when a budget is exhausted. What another budget
could pay for passes an exhausted one's backlog within that depth only: behind a deeper one it waits, as the last row shows.

| backlog | when it starts | at most | within | delivered |
| --- | ---: | ---: | ---: | --- |
${rows.join('\n')}
`
}

const measured: Measured[] = []
for (const one of CASES) {
  const result = await measure(one)
  process.stdout.write(`${JSON.stringify(result)}\n`)
  measured.push(result)
}
await writePage(values.out, page(measured))
const faults = measured.flatMap(({ name, faults: own }) => own.map((fault) => `${name}: ${fault}`))
process.stdout.write(`${faults.join('\n')}\nwritten: ${values.out}\n`)
process.exitCode = faults.length > 0 ? 1 : 0
