import { spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { APP_ID, Relay, SECRET } from '../support/relay.js'
import { numberedUser } from '../support/shop.js'

/** The examples of docs/guide/producers.md as a reader copies them, by what runs them. */
const RUN_BY: Readonly<Record<string, readonly [command: string, file: string]>> = {
  sh: ['bash', 'example.sh'],
  js: [process.execPath, 'example.mjs'],
  python: ['python3', 'example.py'],
}
const HOST = 'http://relay:8080'

async function examples(): Promise<{ language: string; code: string }[]> {
  const text = await readFile(join(ROOT, 'docs/guide/producers.md'), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => {
    return { language, code }
  })
}

/** False where it cannot be run, for want of what runs it. */
async function run(language: string, code: string, relayUrl: string): Promise<boolean> {
  const [command, name] = RUN_BY[language] ?? ['', '']
  if (spawnSync(command, ['--version']).status !== 0) {
    console.warn(`${command} is not here: the example in ${language} was not run`)
    return false
  }
  const folder = await temporaryFolder('example')
  const lines = [0, 1].map((n) => `${JSON.stringify(numberedUser('imported', n))}\n`)
  await writeFile(join(folder, 'customers.ndjson'), lines.join(''))
  await writeFile(join(folder, name), code.replaceAll(HOST, relayUrl))
  const child = await startChild({
    ...{ name: `example in ${language}`, command, args: [name], cwd: folder },
    env: { APP_ID, SECRET },
  })
  const exit = await child.exited
  if (exit.code !== 0) throw new Error(`${language}: ${child.lastLines().join('\n')}`)
  return true
}

describe('the examples of the guide for producers', () => {
  test('deliver what they post, without a change but the host', async () => {
    const relay = await Relay.start()
    try {
      const expected: Record<string, string[]> = {}
      for (const { language, code } of await examples()) {
        expect(code).toContain(HOST)
        if (!(await run(language, code, relay.apiUrl))) continue
        const customer = code.includes('/v1/import/') ? 'imported' : 'ann'
        expected[customer] = [...(expected[customer] ?? []), language]
      }
      const posted = (expected.ann?.length ?? 0) + (expected.imported ? 2 : 0)
      expect(expected.ann).toContain('js')
      await relay.simulator.until(({ totals }) => totals.elements >= 2 && posted >= 2)
      const { record } = relay.simulator
      const arrived = () => record.ofCustomer(APP_ID, 'ann').map(({ raw }) => raw.toString())
      await relay.simulator.until(() => arrived().join('').includes('Order placed'))
    } finally {
      await relay.stop()
    }
  })
})

describe.each(['js', 'python'])('the example in %s', (language) => {
  const received: { key: unknown; body: string }[] = []
  let server: Server
  /** What the next requests are answered: a status, or none at all. */
  let answers: (number | 'reset')[] = []

  beforeEach(async () => {
    received.length = 0
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        received.push({ key: request.headers['idempotency-key'], body })
        const answer = answers.shift() ?? 200
        if (answer === 'reset') request.socket.resetAndDestroy()
        else {
          const text = answer === 200 ? { status: 'success' } : { error: { type: 'X' } }
          response.writeHead(answer, { 'retry-after': '1' }).end(JSON.stringify(text))
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const code = async () => (await examples()).find((one) => one.language === language)?.code ?? ''

  test('posts the same again, under the same key, until it is stored', async () => {
    answers = [503, 'reset', 429]
    if (!(await run(language, await code(), url()))) return
    expect(received).toHaveLength(4)
    expect(received[0]?.key).toMatch(/^[\x20-\x7e]{1,255}$/)
    for (const one of received) expect(one).toEqual(received[0])
  })

  test('posts what is refused once', async () => {
    answers = [400]
    await expect(run(language, await code(), url())).rejects.toThrow(language)
    expect(received).toHaveLength(1)
  })
})
