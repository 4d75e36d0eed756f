import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@relay/tools/wait-for.js'
import { hashSecret } from '@relay/shared/config/secret.js'
import { API_KEY, APP_ID, Relay, send } from '../support/relay.js'

const folder = mkdtempSync(join(tmpdir(), 'relay-credentials-'))
const producers = join(folder, 'producers')
const tokens = join(folder, 'tokens')
const apiKey = join(folder, 'api-key')
const ELEMENT = { type: 'customer', customer_id: 'ann', attributes: { a: 1 } }

/** As Kubernetes does: the new file takes the old one's place in one step. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

describe('credentials in files', () => {
  let relay: Relay

  beforeAll(async () => {
    writeFileSync(producers, `# two lines\nshop:${hashSecret('first', 'salt')}\ncrm:plain\n`)
    writeFileSync(tokens, `${hashSecret('t0ken', 'pepper')}\n`)
    writeFileSync(apiKey, 'wrong-key\n')
    relay = await Relay.start({
      env: {
        MOENGAGE_API_KEY: '',
        RELAY_PRODUCERS: '',
        RELAY_ADMIN_TOKEN: '',
        MOENGAGE_API_KEY_FILE: apiKey,
        RELAY_PRODUCERS_FILE: producers,
        RELAY_ADMIN_TOKEN_FILE: tokens,
      },
    })
  })
  afterAll(() => relay.stop())

  async function post(secret: string): Promise<number> {
    const authorization = `Basic ${Buffer.from(`${APP_ID}:${secret}`).toString('base64')}`
    return (await relay.postElements([ELEMENT], { Authorization: authorization })).status
  }

  async function operate(token: string): Promise<number> {
    const headers = { Authorization: `Bearer ${token}` }
    return (await send(`${relay.opsUrl}/admin/workspaces`, 'GET', '', headers)).status
  }

  /** Until a post is answered so: files are looked at twice a second. */
  async function untilPosts(secret: string, status: number): Promise<void> {
    await waitFor(async () => (await post(secret)) === status, {
      what: `an answer of ${status}`,
    })
  }

  test('a hashed secret opens, and its hash does not', async () => {
    expect(await post('first')).toBe(200)
    expect(await post('plain')).toBe(200)
    expect(await post(hashSecret('first', 'salt'))).toBe(401)
    expect(await operate('t0ken')).toBe(200)
    expect(await operate(hashSecret('t0ken', 'pepper'))).toBe(401)
  })

  test('a secret is rotated without a restart: both are valid, then the new one alone', async () => {
    replaceFile(producers, `shop:${hashSecret('first', 'salt')}\nshop:second\n`)
    await untilPosts('second', 200)
    expect(await post('first')).toBe(200)
    expect(await post('plain')).toBe(401)
    replaceFile(producers, 'shop:second\n')
    await untilPosts('first', 401)
    expect(await post('second')).toBe(200)
  })

  test('a broken file keeps the last good secrets, and is told without being quoted', async () => {
    replaceFile(producers, 'shop:second\nhunter2\n')
    await relay.api.waitForLine(/credentials are invalid/)
    expect(await post('second')).toBe(200)
    expect(relay.api.lastLines().join('\n')).not.toContain('hunter2')
    replaceFile(producers, 'shop:third\n')
    await untilPosts('third', 200)
  })

  test('the admin token is rotated alike', async () => {
    replaceFile(tokens, 'n3w\nt0ken\n')
    await waitFor(async () => (await operate('n3w')) === 200, { what: 'the new token' })
    expect(await operate('t0ken')).toBe(200)
    replaceFile(tokens, 'n3w\n')
    await waitFor(async () => (await operate('t0ken')) === 401, { what: 'the old token to end' })
  })

  test('a corrected API key is taken up by the workers, and what waited is delivered', async () => {
    expect(relay.simulator.record.totals.elements).toBe(0)
    replaceFile(apiKey, `${API_KEY}\n`)
    await relay.simulator.until(({ totals }) => totals.elements > 0)
  })
})
