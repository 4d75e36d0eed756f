import { readFileSync } from 'node:fs'
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
    const url = name === 'simulator' ? `${String(port)}/control` : `${String(opsPort)}/readyz`
    await child.waitUntilReady(`http://127.0.0.1:${url}`)
    expect((await child.stop()).code).toBe(0)
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
