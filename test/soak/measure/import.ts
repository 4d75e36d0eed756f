/**
 * Measures an import of a million lines as an operator runs it, with `relay import` against a real
 * api, worker and simulator: the most memory that the api held, and how near the times to go came
 * that were shown, and how often each line arrived. Budgets are raised, so that it takes minutes
 * rather than hours. With interruptions it is ended by Ctrl-C so many times, evenly over the lines,
 * and begun again.
 *
 *   node tools/bin/run.mjs test/soak/measure/import.ts [lines] [users per minute] [interruptions]
 */
import { createWriteStream } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { temporaryFolder } from '@relay/tools/folders.js'
import type { Child } from '@relay/tools/process/child.js'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { startCommand, Relay, metricsOf } from '../../support/relay.js'
import { Arrivals } from './arrivals.js'

const SAMPLE_MS = 100
const STATUS_EVERY_MS = 10_000
const LINES_PER_PART = 500

/** A time to go that was shown, and what it is of. */
interface Forecast {
  readonly of: 'sending' | 'delivery'
  readonly atSeconds: number
  readonly toGoSeconds: number
}

/** About 300 bytes, of 100,000 customers. */
function line(number: number): string {
  const attributes = {
    first_name: `Name ${number}`,
    email: `customer${number}@shop.example`,
    city: 'Thessaloniki',
    orders: number % 37,
    last_order: '2026-11-23T12:00:00.000Z',
    interests: ['shoes', 'books', 'garden'],
    note: 'x'.repeat(60),
  }
  const customer_id = `customer-${number % 100_000}`
  return `${JSON.stringify({ type: 'customer', customer_id, attributes })}\n`
}

async function writeLines(count: number): Promise<string> {
  const file = join(await temporaryFolder('measure-import'), 'users.ndjson')
  function* parts() {
    for (let from = 0; from < count; from += LINES_PER_PART) {
      const size = Math.min(LINES_PER_PART, count - from)
      yield Array.from({ length: size }, (_, i) => line(from + i)).join('')
    }
  }
  await pipeline(Readable.from(parts()), createWriteStream(file))
  return file
}

const MB = 1_000_000
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 }

function forecastOf(shown: string, of: Forecast['of'], atSeconds: number): Forecast[] {
  const pattern = of === 'sending' ? /ETA ([\d.]+) (\w+)/ : /at MoEngage in ([\d.]+) (\w+)/
  const [, amount, unit = ''] = pattern.exec(shown) ?? []
  if (amount === undefined) return []
  return [{ of, atSeconds, toGoSeconds: Number(amount) * (UNIT_SECONDS[unit] ?? NaN) }]
}

/** Runs `relay import`; returns the times to go that it showed on the way. */
async function runImport(command: Child, atSeconds: () => number): Promise<Forecast[]> {
  const forecasts: Forecast[] = []
  let seen = 0
  const reader = setInterval(() => {
    const shown = command.lastLines().filter((text) => text.startsWith('['))
    for (const text of shown.slice(seen)) {
      forecasts.push(...forecastOf(text, 'sending', atSeconds()))
      forecasts.push(...forecastOf(text, 'delivery', atSeconds()))
    }
    seen = shown.length
  }, SAMPLE_MS)
  await command.exited
  clearInterval(reader)
  return forecasts
}

/** Ends the import by Ctrl-C as soon as so many lines are sent. Returns how many were, in the end. */
async function interruptAt(lines: number, command: Child, file: string): Promise<number> {
  const sent = async () => {
    const text = await readFile(`${file}.checkpoint`, 'utf8').catch(() => '{"lines":0}')
    return (JSON.parse(text) as { lines: number }).lines
  }
  const what = `${lines} lines`
  await waitFor(async () => (await sent()) >= lines, { what, timeoutMs: 7_200_000, everyMs: 20 })
  command.kill('SIGINT')
  await command.exited
  return sent()
}

/** Waits until all is delivered; returns what `relay status` said of it on the way. */
async function followDelivery(relay: Relay, lines: number, atSeconds: () => number) {
  const forecasts: Forecast[] = []
  let nextMs = 0
  const isDelivered = async () => {
    if (performance.now() >= nextMs) {
      nextMs = performance.now() + STATUS_EVERY_MS
      const status = await startCommand(relay, 'status', '--json')
      await status.exited
      const toGo = /"drain_eta_seconds":\s*([\d.]+)/.exec(status.lastLines().join(''))?.[1]
      const facts = { of: 'delivery', atSeconds: atSeconds() } as const
      if (toGo !== undefined) forecasts.push({ ...facts, toGoSeconds: Number(toGo) })
    }
    return relay.simulator.record.totals.elements >= lines
  }
  const what = 'the delivery'
  await waitFor(isDelivered, { what, timeoutMs: 7_200_000, everyMs: SAMPLE_MS })
  return forecasts
}

function report(forecasts: readonly Forecast[], ends: Record<Forecast['of'], number>): void {
  console.log('shown: at, time to go, what it really took, error')
  for (const { of, atSeconds, toGoSeconds } of forecasts) {
    const really = ends[of] - atSeconds
    const error = ((toGoSeconds - really) / really) * 100
    console.log(`  ${of} ${[atSeconds, toGoSeconds, really].map((s) => `${s.toFixed(1)} s`).join(', ')}, ${error.toFixed(1)} %`) // prettier-ignore
  }
}

/** How the worker's requests ended: a line comes again only where one had no answer. */
async function outcomesOf({ workerOpsUrls: [url = ''] }: Relay): Promise<string> {
  const text = await metricsOf(url)
  const counts = text.matchAll(/^relay_requests_total\{.*outcome="(\w+)".*\} (\d+)$/gm)
  const some = [...counts].filter(([, , count]) => count !== '0')
  return some.map(([, outcome, count]) => `${count ?? ''} ${outcome ?? ''}`).join(', ')
}

async function main(lines: number, usersPerMinute: number, interruptions: number): Promise<void> {
  const file = await writeLines(lines)
  const megabytes = (await stat(file)).size / 1e6
  const relay = await Relay.start({
    // Each line is to be counted, and to cost what it costs by itself.
    env: { MOENGAGE_USERS_PER_MINUTE: String(usersPerMinute), RELAY_COALESCE: 'off' },
    simulator: { usersPerWindow: usersPerMinute, recordMaxElements: 400_000 },
  })
  const arrivals = new Arrivals(relay.simulator.record, lines)
  const startedMs = performance.now()
  const atSeconds = () => (performance.now() - startedMs) / 1000
  const before = memoryBytes(relay.api.pid) / MB
  let most = before
  const sampler = setInterval(() => {
    arrivals.look()
    most = Math.max(most, memoryBytes(relay.api.pid) / MB)
  }, SAMPLE_MS)
  for (let i = 1; i <= interruptions; i++) {
    const ended = await startCommand(relay, 'import', file)
    const sent = await interruptAt(Math.floor((lines * i) / (interruptions + 1)), ended, file)
    console.log(`ended by Ctrl-C after ${sent} lines, ${atSeconds().toFixed(1)} s`)
  }
  const command = await startCommand(relay, 'import', file)
  const shown = await runImport(command, atSeconds)
  const sending = atSeconds()
  console.log(command.lastLines().slice(-3).join('\n'))
  const status = await followDelivery(relay, lines, atSeconds)
  const delivery = atSeconds()
  clearInterval(sampler)
  arrivals.look()
  const { never, again, missed } = arrivals.result()
  console.log(`${lines} lines, ${megabytes.toFixed(0)} MB: sent after ${sending.toFixed(1)} s (${(lines / sending).toFixed(0)}/s), at MoEngage after ${delivery.toFixed(1)} s with ${usersPerMinute} users a minute; ${never} lines never, ${again} more than once${missed === 0 ? '' : `, ${missed} not looked at`}`) // prettier-ignore
  console.log(`requests: ${await outcomesOf(relay)}`)
  console.log(`memory of the api: ${before.toFixed(0)} MB before, at most ${most.toFixed(0)} MB`)
  report([...shown, ...status], { sending, delivery })
  await relay.stop()
  await rm(dirname(file), { recursive: true })
}

const [lines = 1_000_000, usersPerMinute = 300_000, interruptions = 0] = process.argv
  .slice(2)
  .map(Number)
await main(lines, usersPerMinute, interruptions)
