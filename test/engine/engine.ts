import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { libraryPath } from '@relay/tools/fetch/apt.js'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { COMPOSE, FOLDER, PROGRAMS } from './programs.js'

const SOCKET = join(FOLDER, 'docker.sock')
/** Containers are given this long to end with the engine, ms. */
const END_MS = 40_000

export interface Ran {
  readonly code: number
  readonly stdout: string
}

/** A Docker engine: the one that runs here, or a private one that leaves the machine's network alone. */
export class Engine {
  readonly #child: Child | null
  readonly #env: NodeJS.ProcessEnv
  readonly #compose: readonly [command: string, ...args: string[]]

  private constructor(child: Child | null, env: NodeJS.ProcessEnv, compose: string | null) {
    this.#child = child
    this.#env = env
    this.#compose = compose === null ? ['docker', 'compose'] : [compose]
  }

  /** The engine that runs on this machine, or the one that `DOCKER_HOST` names. */
  static present(): Engine {
    return new Engine(null, process.env, null)
  }

  /** A private engine, of the fetched programs. */
  static async start(): Promise<Engine> {
    const libraries = libraryPath(PROGRAMS)
    const bins = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((bin) => join(PROGRAMS, bin))
    const env = {
      ...libraries,
      PATH: [...bins, process.env.PATH ?? ''].join(':'),
      HOME: FOLDER,
      XTABLES_LIBDIR: join(PROGRAMS, 'usr/lib/x86_64-linux-gnu/xtables'),
      DOCKER_HOST: `unix://${SOCKET}`,
      DOCKER_BUILDKIT: '1',
      COMPOSE_ANSI: 'never',
    }
    const child = await startChild({
      name: 'dockerd',
      command: join(PROGRAMS, 'usr/sbin/dockerd'),
      args: [
        ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--bridge=none'],
        `--data-root=${join(FOLDER, 'data')}`,
        `--exec-root=${join(FOLDER, 'exec')}`,
        `--pidfile=${join(FOLDER, 'dockerd.pid')}`,
        `--host=unix://${SOCKET}`,
      ],
      env,
    })
    const plugin = join(COMPOSE, 'usr/libexec/docker/cli-plugins/docker-compose')
    const engine = new Engine(child, env, plugin)
    const answers = async () => {
      if (child.exit() !== null) throw new Error(child.lastLines().join('\n'))
      return (await engine.run('docker', ['version'], { mayFail: true })).code === 0
    }
    await waitFor(answers, { what: 'the engine to answer', timeoutMs: 60_000, everyMs: 200 })
    return engine
  }

  /** Runs a command against the engine; its output also goes to the log. */
  run(
    command: string,
    args: readonly string[],
    { mayFail = false, env = {} }: { mayFail?: boolean; env?: Record<string, string> } = {},
  ): Promise<Ran> {
    if (!mayFail) console.log(`$ ${command} ${args.join(' ')}`)
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: ROOT,
        env: { ...this.#env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let all = ''
      child.stdout.on('data', (bytes: Buffer) => {
        stdout += bytes.toString()
        all += bytes.toString()
      })
      child.stderr.on('data', (bytes: Buffer) => (all += bytes.toString()))
      child.once('error', reject)
      child.once('close', (code) => {
        if (code === 0 || mayFail) resolve({ code: code ?? 1, stdout })
        else reject(new Error(`${command} ${args.join(' ')}: status ${code}\n${all}`))
      })
    })
  }

  docker(...args: string[]): Promise<Ran> {
    return this.run('docker', args)
  }

  compose(...args: string[]): Promise<Ran> {
    const [command, ...first] = this.#compose
    return this.run(command, [...first, ...args])
  }

  async stop(): Promise<void> {
    await this.#child?.stop(END_MS)
  }
}
