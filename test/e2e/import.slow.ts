import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@relay/tools/folders.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { startCommand, APP_ID, Relay } from '../support/relay.js'
import { numberedUser, numbersOf } from '../support/shop.js'

const LINES = 20_000
const CUSTOMERS = 500
/** More than one answer lists in each slice, and at the edges of slices. */
const isRefused = (n: number) => n % 97 === 5 || (n >= 6_000 && n < 6_400) || n === LINES - 1

const SIMULATOR = { usersPerWindow: 1_000_000 }
/** Every line is to be counted by itself: nothing is coalesced. */
const ENV = {
  MOENGAGE_USERS_PER_MINUTE: '1000000',
  RELAY_LINGER_MS: '20',
  RELAY_COALESCE: 'off',
}

async function writeLines(): Promise<string> {
  const file = join(await temporaryFolder('import'), 'users.ndjson')
  const lines = Array.from({ length: LINES }, (_, n) => {
    const customer = isRefused(n) ? 'guest' : `customer-${n % CUSTOMERS}`
    return `${JSON.stringify(numberedUser(customer, n))}\n`
  })
  await writeFile(file, lines.join(''))
  return file
}

/** Every line that is valid arrived once, in the order of the file. */
function expectExactlyOnce({ simulator: { record } }: Relay): void {
  for (let c = 0; c < CUSTOMERS; c += 1) {
    const expected: number[] = []
    for (let n = c; n < LINES; n += CUSTOMERS) if (!isRefused(n)) expected.push(n)
    const arrived = record.ofCustomer(APP_ID, `customer-${c}`)
    expect(arrived.flatMap(({ raw }) => numbersOf(raw.toString()))).toEqual(expected)
  }
}

async function expectReported(file: string): Promise<void> {
  const text = await readFile(`${file}.refused.ndjson`, 'utf8')
  const reported = text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { line: number }).line) // prettier-ignore
  const refused = Array.from({ length: LINES }, (_, n) => n + 1).filter((line) => isRefused(line - 1)) // prettier-ignore
  expect(reported).toEqual(refused)
}

async function linesDone(file: string): Promise<number> {
  const text = await readFile(`${file}.checkpoint`, 'utf8').catch(() => '{"lines":0}')
  return (JSON.parse(text) as { lines: number }).lines
}

describe('relay import of 20,000 lines', () => {
  test('ended by Ctrl-C and begun again, delivers every line exactly once', async () => {
    const relay = await Relay.start({ env: ENV, simulator: SIMULATOR })
    try {
      const file = await writeLines()
      const first = await startCommand(relay, 'import', file)
      await waitFor(async () => (await linesDone(file)) > 0, {
        what: 'the first slice',
        everyMs: 5,
      })
      first.kill('SIGINT')
      expect(await first.exited).toEqual({ code: 1, signal: null })
      const done = await linesDone(file)
      expect(done).toBeGreaterThan(0)
      expect(done).toBeLessThan(LINES)
      const second = await startCommand(relay, 'import', file)
      expect(await second.exited).toEqual({ code: 1, signal: null })
      expect(second.lastLines().join('\n')).toContain(`Resumed after line`)
      await expect(readFile(`${file}.checkpoint`)).rejects.toThrow('ENOENT')
      const valid = LINES - Array.from({ length: LINES }, (_, n) => n).filter(isRefused).length
      await relay.simulator.until(({ totals }) => totals.elements >= valid, 30_000)
      await expectReported(file)
      expectExactlyOnce(relay)
    } finally {
      await relay.stop()
    }
  })

  test('with connections cut between api and Redis, and killed on the way: the same', async () => {
    const relay = await Relay.start({ env: ENV, simulator: SIMULATOR, redisProxy: true })
    try {
      const file = await writeLines()
      const beyond = (part: number) =>
        waitFor(async () => (await linesDone(file)) > part * LINES, {
          what: `${part} of the lines`,
          everyMs: 2,
          timeoutMs: 20_000,
        })
      for (const part of [0.2, 0.5]) {
        const killed = await startCommand(relay, 'import', file)
        // A cut while a slice is being stored, and a death while the next is.
        await beyond(part - 0.15)
        relay.apiRedis?.cut()
        await beyond(part)
        killed.kill('SIGKILL')
        await killed.exited
      }
      const last = await startCommand(relay, 'import', file)
      for (const part of [0.55, 0.7, 0.85]) {
        await beyond(part)
        relay.apiRedis?.cut()
      }
      expect((await last.exited).code).toBe(1)
      const valid = LINES - Array.from({ length: LINES }, (_, n) => n).filter(isRefused).length
      await relay.simulator.until(({ totals }) => totals.elements >= valid, 30_000)
      await waitFor(async () => (await waiting(relay)) === 0, { what: 'the queues to be empty' })
      await expectReported(file)
      expectExactlyOnce(relay)
    } finally {
      await relay.stop()
    }
  })
})

/** Elements that wait, as the command line tells. */
async function waiting(relay: Relay): Promise<number> {
  const status = await startCommand(relay, 'status', '--json')
  await status.exited
  const { workspaces } = JSON.parse(status.lastLines().join('')) as {
    workspaces: { backlog: Record<string, { total: number }> }[]
  }
  const backlog = Object.values(workspaces[0]?.backlog ?? {})
  return backlog.reduce((sum, { total }) => sum + total, 0)
}
