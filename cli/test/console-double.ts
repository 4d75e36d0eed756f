import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from '../src/commands/context.js'
import { CommandError } from '../src/exit.js'
import { OperatorApi } from '../src/operator-api.js'
import { createProgram } from '../src/program.js'

interface Asked {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
}

/** An operator API that answers what the test says, by method and path without query. */
export class FakeApi {
  readonly asked: Asked[] = []
  readonly answers = new Map<string, { status: number; text: string }>()
  env: Readonly<Record<string, string>> = {}
  /** What standard input holds. */
  input = ''
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const body = Buffer.concat(chunks).toString()
        this.asked.push({ method, url, authorization: headers.authorization, body })
        const { status, text } = this.answers.get(`${method} ${url.split('?')[0] ?? ''}`) ?? {
          status: 404,
          text: '{"error":{"message":"nothing here"}}',
        }
        response.writeHead(status).end(`${text}\n`)
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Runs a command line; `person` answers questions; null without a terminal. */
  async run(args: readonly string[], person: boolean | null = null) {
    const out: string[] = []
    const notes: string[] = []
    let status = 0
    const context: Context = {
      terminal: {
        out: (line) => out.push(line),
        note: (line) => notes.push(line),
        redraw: () => undefined,
        clear: () => undefined,
        isLive: person !== null,
        input: () => Promise.resolve(this.input),
        confirm: () => Promise.resolve(person ?? false),
      },
      env: this.env,
      clock: { nowMs: () => Date.UTC(2026, 10, 23, 12), monotonicMs: () => 0 },
      api: ({ token = 't0ken' }) => new OperatorApi({ url: this.url, token }),
      sleep: () => Promise.resolve(),
      interrupted: () => ({ asked: () => false, release: () => undefined }),
      endsWithCtrlC: () => undefined,
      fail: (to) => {
        status = to
      },
    }
    const program = createProgram(context)
    await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error
      status = error.status
      notes.push(error.message, error.remedy ?? '')
    })
    return { out, notes, status }
  }
}
