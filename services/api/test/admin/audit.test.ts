import type { Request } from 'express'
import type { Logger } from '@relay/shared/observability/logger.js'
import { AuditLog, type AuditStore, type Pseudonyms } from '../../src/admin/audit.js'

const TOKEN = 'a-token'

async function whoOf(authorization: string): Promise<unknown> {
  const kept: Readonly<Record<string, unknown>>[] = []
  const store = { add: (entry: object) => Promise.resolve(void kept.push({ ...entry })) }
  const log = { info: () => undefined, error: () => undefined }
  const pseudonyms = { of: (name: string) => Promise.resolve(`keyed(${name})`) }
  const audit = new AuditLog(
    log as unknown as Logger,
    store as unknown as AuditStore,
    pseudonyms as unknown as Pseudonyms,
  )
  const request = { headers: { authorization }, socket: { remoteAddress: '::1' } }
  await audit.action(request as unknown as Request, 'pause', {})
  return kept[0]?.who
}

it('a token is one operator however its header is written, under a name that is keyed', async () => {
  const spellings = [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, `BEARER ${TOKEN} `]
  const names = await Promise.all(spellings.map(whoOf))
  expect(new Set(names)).toEqual(new Set([`keyed(operator ${TOKEN})`]))
})
