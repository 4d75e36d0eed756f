import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'

/** Runs the simulator as it was built; returns its status and what it said. */
function simulate(...args: string[]): Promise<{ status: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'test/dist/sim/main.js'), ...args])
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        said += bytes.toString()
      })
    }
    child.on('error', reject)
    child.on('close', (status) => {
      resolve({ status, said })
    })
  })
}

/** Digests of the traces by seed. */
function tracesIn(said: string): readonly string[] {
  return [...said.matchAll(/^seed \d+ trace [0-9a-f]+/gm)].map(([line]) => line)
}

describe('the whole system under virtual time', () => {
  it('keeps every law through many faults', async () => {
    const { status, said } = await simulate('--scenario', 'brief', '--seeds', '1-10')
    expect(status === 0 ? '' : said).toBe('')
    expect(tracesIn(said)).toHaveLength(10)
  }, 300_000)

  it.each(['portfolio', 'aimed', 'failover'])(
    'keeps every law of the scenario %s',
    async (scenario) => {
      const { status, said } = await simulate('--scenario', scenario, '--seeds', '1', '--seconds', '60') // prettier-ignore
      expect(status === 0 ? '' : said).toBe('')
    },
    300_000,
  )

  it('gives the same trace for the same seed, in whichever process it runs', async () => {
    const once = await simulate('--scenario', 'brief', '--seeds', '3-4')
    const again = await simulate('--scenario', 'brief', '--seeds', '4')
    expect(tracesIn(once.said)).toContain(tracesIn(again.said)[0])
  }, 300_000)
})
