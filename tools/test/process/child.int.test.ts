import { ROOT } from '../../src/folders.js'
import { join } from 'node:path'
import { Ended, httpStatus, startChild } from '../../src/process/child.js'
import { freePort } from '../../src/process/port.js'

const entry = join(ROOT, 'tools/test/fixtures/service.mjs')

async function service(env: Record<string, string> = {}) {
  const port = await freePort()
  const child = await startChild({
    name: 'service',
    entry,
    env: { OPS_PORT: String(port), ...env },
  })
  return { child, url: `http://127.0.0.1:${port}/readyz` }
}

describe('a child process', () => {
  it('is awaited by line and by readiness, and its JSON log is kept', async () => {
    const { child, url } = await service({ READY_AFTER_MS: '200' })
    await child.waitForLine(/listening/)
    await child.waitUntilReady(url)
    expect(child.logs()).toContainEqual({ level: 'info', message: 'listening' })
    expect(await child.stop()).toEqual({ code: 0, signal: null })
  })

  it('does not answer while paused and does again after', async () => {
    const { child, url } = await service()
    await child.waitUntilReady(url)
    child.pause()
    expect(await httpStatus(url, 200)).toBeNull()
    child.resume()
    expect(await httpStatus(url)).toBe(200)
    await child.stop()
  })

  it('is killed when it ignores SIGTERM', async () => {
    const { child, url } = await service({ STUBBORN: '1' })
    await child.waitUntilReady(url)
    expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('ends the wait with its last lines when it ends before it is ready', async () => {
    const { child, url } = await service({ READY_AFTER_MS: '60000', DIE_AFTER_MS: '10' })
    const failure = await child.waitUntilReady(url).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Ended)
    expect((failure as Ended).message).toContain('something broke')
    expect((failure as Ended).exit).toEqual({ code: 3, signal: null })
  })

  it('sees none of the settings of the process that started it', async () => {
    process.env.RELAY_PREFIX = 'from outside'
    const child = await startChild({
      name: 'env',
      command: process.execPath,
      args: ['-e', 'console.log(JSON.stringify({ prefix: process.env.RELAY_PREFIX ?? null }))'],
    })
    await child.exited
    delete process.env.RELAY_PREFIX
    expect(child.logs()).toEqual([{ prefix: null }])
  })
})
