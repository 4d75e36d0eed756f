import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '../../../src/folders.js'
import { startChild, type Child } from '../../../src/process/child.js'
import { freePort } from '../../../src/process/port.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { DockerfileRun } from './dockerfile.js'

const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')

describe('what the steps of the Dockerfile build', () => {
  let image: DockerfileRun | undefined
  let redis: TestRedis
  const children: Child[] = []

  beforeAll(async () => {
    redis = await startRedis()
    const target = await temporaryFolder('image')
    image = new DockerfileRun(DOCKERFILE, { context: ROOT, target, workdir: '/relay' })
  }, 600_000)

  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop()))
    await redis.stop()
    image?.remove()
  })

  test.each(['simulator', 'api', 'worker'])('starts as the %s does', async (name) => {
    const { folder, env, command } = image!.stage(name)
    const [port, opsPort] = [await freePort(), await freePort()]
    const child = await startChild({
      name,
      command: process.execPath,
      args: command.slice(1),
      cwd: folder,
      env: {
        ...env,
        PORT: String(port),
        OPS_PORT: String(opsPort),
        SIM_HOST: '127.0.0.1',
        REDIS_URL: redis.url,
        MOENGAGE_APP_ID: 'DEMO',
        MOENGAGE_API_KEY: 'key',
        MOENGAGE_BASE_URL: 'http://127.0.0.1:9',
      },
    })
    children.push(child)
    const url = name === 'simulator' ? `${port}/control` : `${opsPort}/readyz`
    await child.waitUntilReady(`http://127.0.0.1:${url}`)
    expect((await child.stop()).code).toBe(0)
  })

  test('the command line runs in the image of the api', () => {
    const { folder } = image!.stage('api')
    const args = [join(folder, 'cli/bin/relay'), '--help']
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder })
    expect([status, stdout.toString()]).toEqual([0, expect.stringContaining('status')])
  })

  test('each image contains only the libraries of its service', () => {
    const holds = (stage: string, library: string) =>
      existsSync(join(image!.stage(stage).folder, 'node_modules', library))
    const held = ['api', 'worker', 'simulator'].map((stage) =>
      ['express', 'swagger-ui-dist', 'commander', 'bullmq'].filter((one) => holds(stage, one)),
    )
    expect(held[0]).toEqual(['express', 'swagger-ui-dist', 'commander', 'bullmq'])
    expect(held[1]).toEqual(['bullmq'])
    expect(held[2]).not.toContain('express')
  })

  test('holds the Lua scripts, and neither sources nor development tools', () => {
    const { folder } = image!.stage('worker')
    const holds = (path: string) => {
      try {
        readFileSync(join(folder, path))
        return true
      } catch {
        return false
      }
    }
    expect(holds('shared/lua/settle.lua')).toBe(true)
    expect(holds('shared/src/clock.ts')).toBe(false)
    expect(holds('node_modules/typescript/package.json')).toBe(false)
    expect(holds('node_modules/jest/package.json')).toBe(false)
  })
})
