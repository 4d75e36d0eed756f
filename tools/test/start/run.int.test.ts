import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '../../src/folders.js'
import { startChild, type Child } from '../../src/process/child.js'
import { freePort, isListening } from '../../src/process/port.js'
import { askRedis } from '../../src/process/redis-server.js'
import { waitFor } from '../../src/wait-for.js'

const entry = join(ROOT, 'tools/test/fixtures/start-stand-in.ts')
const VARIABLES = ['PORT', 'OPS_PORT', 'WORKER_OPS_PORT', 'SIM_PORT'] as const

type Ports = Record<(typeof VARIABLES)[number], string>

async function freePorts(): Promise<Ports> {
  const ports = await Promise.all(VARIABLES.map(freePort))
  return Object.fromEntries(VARIABLES.map((name, i) => [name, String(ports[i])])) as Ports
}

function start(home: string, env: Record<string, string>): Promise<Child> {
  return startChild({ name: 'start', entry, args: [home], env })
}

function redisPort(home: string): number {
  return Number(readFileSync(join(home, 'redis', 'port'), 'utf8'))
}

async function nothingListens(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map((port) => isListening(port)))).every((busy) => !busy)
}

const text = (child: Child) => child.lastLines().join('\n')

describe('npm start', () => {
  it('prints a curl to paste and stops everything on SIGINT within 5 s, exit 0', async () => {
    const home = await temporaryFolder('start')
    const ports = await freePorts()
    const child = await start(home, ports)
    await child.waitForLine(/Ctrl-C/)
    const lines = child.lastLines()
    const at = lines.findIndex((line) => line.includes('curl '))
    expect(lines[at]).toBe(`curl -sS -X POST http://127.0.0.1:${ports.PORT}/v1/event/DEMO \\`)
    expect(lines[at + 1]).toMatch(/^ {2}-u 'DEMO:[\w-]+' \\$/)
    expect(lines[at + 3]).toMatch(/^ {2}-d '\{.*\}'$/)
    expect(text(child)).not.toContain('\u001b')
    expect(text(child)).toContain('warn: a warning to be seen facts=1')
    const redis = redisPort(home)
    expect(await askRedis(redis, 'CONFIG GET appendfsync')).toBe('everysec')
    expect(await askRedis(redis, 'CONFIG GET maxmemory-policy')).toBe('noeviction')

    const startedMs = performance.now()
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(await nothingListens([redis, ...Object.values(ports).map(Number)])).toBe(true)
    expect(readFileSync(join(home, 'logs', 'api.log'), 'utf8')).toContain('"stopping"')
  })

  it('keeps its data and its keys from one run to the next, also after kill -9', async () => {
    const home = await temporaryFolder('start')
    const first = await start(home, await freePorts())
    await first.waitForLine(/Ctrl-C/)
    const keyLine = await first.waitForLine(/-u '/)
    const redis = redisPort(home)
    expect(await askRedis(redis, 'SET accepted 1')).toBe('+OK')
    first.kill('SIGKILL')
    await first.exited
    await waitFor(async () => !(await isListening(redis)), { what: 'Redis to go with it' })

    const second = await start(home, await freePorts())
    await second.waitForLine(/Ctrl-C/)
    expect(await askRedis(redisPort(home), 'EXISTS accepted')).toBe(':1')
    expect(await second.waitForLine(/-u '/)).toBe(keyLine)
    expect(statSync(join(home, 'credentials.json')).mode & 0o777).toBe(0o600)
    expect((await second.stop()).code).toBe(0)
  })

  it('stops within 5 s also when every service ignores SIGTERM', async () => {
    const home = await temporaryFolder('start')
    const child = await start(home, { ...(await freePorts()), STUBBORN: '1' })
    await child.waitForLine(/Ctrl-C/)
    const startedMs = performance.now()
    child.kill('SIGTERM')
    expect((await child.exited).code).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('tells the command line its ports while the api is not ready, and no more once it has ended', async () => {
    const home = await temporaryFolder('start')
    const running = join(home, 'running.json')
    const ports = await freePorts()
    const child = await start(home, { ...ports, READY_AFTER_MS: '600000' })
    await waitFor(() => existsSync(running), { what: 'running.json' })
    await waitFor(() => readFileSync(running, 'utf8').includes(ports.OPS_PORT), { what: 'ports' })
    expect(text(child)).not.toContain('Ctrl-C')
    expect((await child.stop()).code).toBe(0)
    expect(existsSync(running)).toBe(false)
  })

  it('tells the command line its ports also with a real workspace, whose secrets it writes nowhere', async () => {
    const home = await temporaryFolder('start')
    const running = join(home, 'running.json')
    const ports = await freePorts()
    const real = { MOENGAGE_APP_ID: 'SHOP', MOENGAGE_API_KEY: 'real-key', MOENGAGE_DC: '02' }
    const child = await start(home, { ...ports, ...real, RELAY_ADMIN_TOKEN: 'own-token' })
    await child.waitForLine(/Ctrl-C/)
    const kept = readFileSync(running, 'utf8')
    expect(JSON.parse(kept)).toMatchObject({
      PORT: ports.PORT,
      OPS_PORT: ports.OPS_PORT,
      REDIS_URL: `redis://127.0.0.1:${redisPort(home)}`,
    })
    expect(kept).not.toMatch(/real-key|own-token/)
    expect((await child.stop()).code).toBe(0)
  })

  it('names a busy port with its remedy and starts nothing', async () => {
    const home = await temporaryFolder('start')
    const ports = await freePorts()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(Number(ports.OPS_PORT), '127.0.0.1', resolve))
    const child = await start(home, ports)
    expect((await child.exited).code).toBe(1)
    expect(text(child)).toMatch(
      new RegExp(`Port ${ports.OPS_PORT}.* is busy: .*OPS_PORT=\\d+ npm start`),
    )
    expect(existsSync(join(home, 'redis'))).toBe(false)
    other.close()
  })

  it('says which part broke, with its last lines, stops the rest and exits 1', async () => {
    const home = await temporaryFolder('start')
    const ports = await freePorts()
    // All of them do, one about as soon as the other: it names the first that it sees.
    const child = await start(home, { ...ports, DIE_AFTER_MS: '1' })
    expect((await child.exited).code).toBe(1)
    expect(text(child)).toMatch(/(simulator|api|worker) ended with status 3; its last lines:/)
    expect(text(child)).toContain('something broke')
    expect(await nothingListens([redisPort(home), ...Object.values(ports).map(Number)])).toBe(true)
  })

  it('refuses a second run on the same data', async () => {
    const home = await temporaryFolder('start')
    const first = await start(home, await freePorts())
    await first.waitForLine(/Ctrl-C/)
    const second = await start(home, await freePorts())
    expect((await second.exited).code).toBe(1)
    expect(text(second)).toContain(`relay already runs from this folder (process ${first.pid})`)
    await first.stop()
  })
})
