import { Ended, startChild, type Child } from '../process/child.js'
import { isListening, LOOPBACK } from '../process/port.js'
import { waitFor } from '../wait-for.js'
import { LogFile, readable } from './log-file.js'
import type { Environment, Plan } from './plan.js'

/** Built files of the services. */
export interface Entries {
  readonly api: string
  readonly worker: string
  readonly simulator: string
}

const READY_TIMEOUT_MS = 60_000
/** Together under the 5 s within which Ctrl-C ends everything. */
const SERVICE_STOP_MS = 3_000
const SIMULATOR_STOP_MS = 400
const REDIS_STOP_MS = 1_000

/** The processes of one `npm start`, started and stopped in their order of need. */
export class Stack {
  private readonly logDir: string
  private readonly show: (line: string) => void
  private readonly children: Child[] = []
  private stopping = false
  private reportEnd: (end: Ended) => void = () => undefined
  /** Settles when a process ends that should not. */
  readonly broken = new Promise<Ended>((resolve) => {
    this.reportEnd = resolve
  })

  constructor(logDir: string, show: (line: string) => void) {
    this.logDir = logDir
    this.show = show
  }

  /** Writes a process's lines to its log file and shows those that matter. */
  lineSink(name: string): (line: string) => void {
    const file = new LogFile(this.logDir, name)
    return (line) => {
      file.add(line)
      const text = this.stopping ? null : readable(name, line)
      if (text !== null) this.show(text)
    }
  }

  /** Takes over a process that runs already. */
  watch(child: Child): void {
    this.children.push(child)
    void child.exited.then((exit) => {
      if (!this.stopping) this.reportEnd(new Ended(child.name, exit, child.lastLines()))
    })
  }

  /** Starts the services and waits until all are ready. */
  async startServices(plan: Plan, entries: Entries): Promise<void> {
    if (plan.simulator !== null) {
      const { port } = plan.simulator
      const simulator = await this.start('simulator', entries.simulator, plan.simulatorEnv)
      const isUp = async () => simulator.exit() !== null || (await isListening(port))
      await waitFor(isUp, { what: 'the simulator to listen', timeoutMs: READY_TIMEOUT_MS })
      if (simulator.exit() !== null) return
    }
    const api = await this.start('api', entries.api, plan.apiEnv)
    const worker = await this.start('worker', entries.worker, plan.workerEnv)
    await Promise.all([
      api.waitUntilReady(readiness(plan.apiOps.port), READY_TIMEOUT_MS),
      worker.waitUntilReady(readiness(plan.workerOps.port), READY_TIMEOUT_MS),
    ])
  }

  /** Ends everything: first who uses Redis and MoEngage, then these. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.stopNamed(['api', 'worker'], SERVICE_STOP_MS)
    await this.stopNamed(['simulator'], SIMULATOR_STOP_MS)
    await this.stopNamed(['redis'], REDIS_STOP_MS)
  }

  private async start(name: string, entry: string, env: Environment): Promise<Child> {
    const child = await startChild({ name, entry, env, onLine: this.lineSink(name) })
    this.watch(child)
    return child
  }

  private async stopNamed(names: readonly string[], timeoutMs: number): Promise<void> {
    const children = this.children.filter(({ name }) => names.includes(name))
    await Promise.all(children.map((child) => child.stop(timeoutMs)))
  }
}

function readiness(opsPort: number): string {
  return `http://${LOOPBACK}:${String(opsPort)}/readyz`
}
