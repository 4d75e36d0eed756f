import { waitFor } from '@relay/tools/wait-for.js'
import { Relay } from '../support/relay.js'
import { freePort } from '@relay/tools/process/port.js'
import { numberedEvent } from '../support/shop.js'

interface Told {
  readonly reason: string
  readonly cause?: string
  readonly meaning: string
  readonly next: string
}

describe('a host of a workspace', () => {
  let relay: Relay
  afterEach(async () => {
    await relay.stop()
  })

  async function told(): Promise<{ hold: Told | null; slowed: Told | null }> {
    const { body } = await relay.operate('GET', 'workspaces')
    const { workspaces } = JSON.parse(body) as { workspaces: { hold: Told | null; slowed: Told | null }[] } // prettier-ignore
    return workspaces[0] ?? { hold: null, slowed: null }
  }

  async function refusedUrl(): Promise<string> {
    return `http://127.0.0.1:${await freePort()}`
  }

  test.each<[string, string, () => string | Promise<string>, RegExp, RegExp]>([
    ['whose name does not resolve', 'unresolvable', () => 'http://moengage.invalid', /not resolve/, /DNS/], // prettier-ignore
    ['that refuses connections', 'connection_refused', refusedUrl, /refuses connections/, /host and port/], // prettier-ignore
  ])(
    '%s is named with its remedy, while retried and while held',
    async (_, cause, url, meaning, next) => {
      relay = await Relay.start({ workers: 0 })
      const worker = await relay.addWorker({ MOENGAGE_BASE_URL: await url() })
      await relay.postAll([numberedEvent('ann', 1)])
      await waitFor(async () => (await told()).slowed !== null, { what: 'a retry' })
      const { slowed } = await told()
      expect([slowed?.reason, slowed?.meaning, slowed?.next]).toEqual([cause, expect.stringMatching(meaning), expect.stringMatching(next)]) // prettier-ignore
      await waitFor(async () => (await told()).hold !== null, {
        what: 'the hold',
        timeoutMs: 30_000,
      })
      const { hold } = await told()
      expect([hold?.reason, hold?.cause, hold?.meaning, hold?.next]).toEqual(['unavailable', cause, expect.stringMatching(meaning), expect.stringMatching(next)]) // prettier-ignore
      const isHold = (line: object) =>
        'reason' in line && line.reason === 'unavailable' && 'cause' in line && line.cause === cause
      await waitFor(() => worker.logs().some(isHold), { what: 'the log line of the hold' })
    },
  )
})
