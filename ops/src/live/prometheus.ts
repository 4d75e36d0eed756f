import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, ROOT } from '@relay/dev/folders.js'
import { startChild, type Child } from '@relay/dev/process/child.js'
import { freePort } from '@relay/dev/process/port.js'
import type { PrometheusPrograms } from '@relay/dev/prometheus/find-prometheus.js'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

/** A Prometheus that scrapes every second, with relay's own rules. */
export class Prometheus {
  readonly url: string
  readonly #child: Child

  private constructor(url: string, child: Child) {
    this.url = url
    this.#child = child
  }

  /** `jobs`: port of the metrics by job name. */
  static async start(
    { prometheus }: PrometheusPrograms,
    jobs: Readonly<Record<string, number>>,
  ): Promise<Prometheus> {
    const [folder, port] = await Promise.all([temporaryFolder('prometheus'), freePort()])
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(ROOT, 'ops/rules/relay-*.yml')],
      scrape_configs: Object.entries(jobs).map(([job, target]) => ({
        job_name: job,
        static_configs: [{ targets: [`127.0.0.1:${String(target)}`] }],
      })),
    }
    // YAML is a superset of JSON.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
    const url = `http://127.0.0.1:${String(port)}`
    const child = await startChild({
      name: 'prometheus',
      command: prometheus,
      args: [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${String(port)}`,
      ],
      cwd: folder,
    })
    await child.waitUntilReady(`${url}/-/ready`)
    return new Prometheus(url, child)
  }

  async query(expr: string): Promise<readonly Sample[]> {
    const body = new URLSearchParams({ query: expr })
    const answer = await fetch(`${this.url}/api/v1/query`, { method: 'POST', body })
    const { status, error, data } = (await answer.json()) as {
      status: string
      error?: string
      data?: { result: Sample[] }
    }
    if (status !== 'success') throw new Error(`${error ?? status} in ${expr}`)
    return data?.result ?? []
  }

  async get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${path}`)
    return ((await answer.json()) as { data: unknown }).data
  }

  async stop(): Promise<void> {
    await this.#child.stop(3_000)
  }
}
