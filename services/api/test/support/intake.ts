import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { Keyring } from '@relay/shared/config/secret.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { Acceptor, type AcceptDeps } from '../../src/accept/accept.js'
import { REQUEST_LIMITS } from '../../src/accept/assess.js'
import { FairSlices } from '../../src/accept/fairness.js'
import type { ProducersTrace } from '../../src/accept/ports.js'
import { producerOf } from '../../src/guard/authenticate.js'
import { createIntakeApp, DEFAULT_LIMITS, type IntakeLimits } from '../../src/http/app.js'
import { createIntakeServer } from '../../src/http/server.js'
import * as answers from '../../src/openapi/answers.js'
import { APP, NOW_MS } from './workspace.js'
import {
  CountingRandom,
  FixedClock,
  InMemoryIdempotency,
  InMemoryPostStore,
  RecordingObserver,
  ScriptedQuota,
} from './doubles.js'

export { APP, NOW_MS, OTHER_APP, workspace } from './workspace.js'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: AnswerBody
}

export interface AnswerBody {
  readonly status?: string
  readonly message?: string
  readonly request_id?: string
  readonly warnings?: readonly Entry[]
  readonly rejected?: readonly Entry[]
  readonly accepted?: number
  readonly errors?: readonly (Entry & { readonly line: number })[]
  readonly last_line?: number
  readonly error?: {
    readonly message: string
    readonly type: string
    readonly request_id: string
    readonly attribute?: string
    readonly details?: readonly Entry[]
  }
}

export interface Entry {
  readonly index?: number
  readonly attribute: string
  readonly message: string
}

export interface Sending {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: string | Buffer
}

export function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`
}

/** The real app behind a real socket, with everything behind it in memory. */
export class TestIntake {
  readonly store = new InMemoryPostStore()
  readonly idempotency = new InMemoryIdempotency()
  readonly quota = new ScriptedQuota()
  readonly observer = new RecordingObserver()
  readonly clock = new FixedClock(NOW_MS)
  readonly stopping = new AbortController()
  readonly server: Server
  readonly workspaces: Map<string, Workspace>
  producersTrace: ProducersTrace = () => Promise.resolve(null)
  /** Keys of customers that wait for MoEngage's policy. */
  readonly heldCustomers = new Set<string>()

  /** `parts` stand in for what is otherwise in memory. */
  constructor(
    workspaces: readonly Workspace[],
    limits: Partial<IntakeLimits> = {},
    parts: Partial<Pick<AcceptDeps, 'store' | 'idempotency' | 'quota'>> = {},
  ) {
    this.workspaces = new Map(workspaces.map((w) => [w.appId, w]))
    const random = new CountingRandom()
    const producers = new Keyring(
      new Map([
        ['shop', ['s3cret', 'n3w:secret']],
        ['crm', ['other']],
      ]),
    )
    const accept = {
      ...{ store: this.store, idempotency: this.idempotency, quota: this.quota },
      ...parts,
      ...{ observer: this.observer, clock: this.clock, random, largeBodies: null },
      slices: new FairSlices(this.clock),
      held: { of: () => this.heldCustomers },
    }
    const app = createIntakeApp({
      ...accept,
      acceptor: new Acceptor({ ...accept, limits: REQUEST_LIMITS }),
      workspaces: (appId) => this.workspaces.get(appId),
      producers: () => producers,
      stopping: this.stopping.signal,
      producersTrace: (...asked) => this.producersTrace(...asked),
      limits: { ...DEFAULT_LIMITS, ...limits },
    })
    this.server = createIntakeServer(app, {
      ...{ clock: this.clock, random },
      producerOf: ({ headers }) => producerOf(headers.authorization, producers),
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** A good request unless told otherwise; a header set to null is left out. */
  send(sending: Sending): Promise<Answered> {
    const { method = 'POST', path = `/v1/transition/${APP}`, body = '' } = sending
    const given: Record<string, string | null> = {
      authorization: basic(APP, 's3cret'),
      'content-type': 'application/json',
      ...sending.headers,
    }
    const headers = Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null),
    )
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, method, path, headers, agent: false }
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const parsed = (text === '' ? {} : JSON.parse(text)) as AnswerBody
          const status = response.statusCode ?? 0
          if (path.startsWith('/v1/') && method !== 'HEAD') isDocumented(path, status, parsed)
          resolve({ status, headers: response.headers, text, body: parsed })
        })
      })
      request.on('error', reject)
      request.end(body)
    })
  }
}

/** Every answer that any test gets is one that the OpenAPI document describes. */
function isDocumented(path: string, status: number, body: unknown): void {
  const isImport = path.startsWith('/v1/import')
  if (status === 200) {
    if (path.startsWith('/v1/requests')) answers.trace.parse(body)
    else if (isImport) answers.imported.parse(body)
    else answers.accepted.parse(body)
  } else if (isImport) z.union([answers.importStopped, answers.refusal]).parse(body)
  else answers.refusal.parse(body)
}

export function transition(...elements: unknown[]): string {
  return JSON.stringify({ type: 'transition', elements })
}
