import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, ROOT } from '@relay/tools/folders.js'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { freePort } from '@relay/tools/process/port.js'
import type { PrometheusPrograms } from '@relay/tools/fetch/programs.js'

type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly metric: Labels
  readonly value: readonly [number, string]
}

export interface Series {
  readonly metric: Labels
  readonly values: readonly (readonly [seconds: number, value: string])[]
}

/** Moments in seconds since 1970, as Prometheus counts them. */
export interface Range {
  readonly fromS: number
  readonly toS: number
  readonly stepS: number
}

export interface PrometheusOptions {
  /** Ports of the metrics by job name; more than one process may do a job. */
  readonly jobs: Readonly<Record<string, readonly number[]>>
  /** Files with rules; relay's own unless told. */
  readonly rules?: readonly string[]
  /** Labels of a port's series, as Kubernetes adds them. */
  readonly labels?: Readonly<Record<number, Labels>>
  readonly externalLabels?: Labels
}

const OWN_RULES = join(ROOT, 'ops/rules/relay-*.yml')

/** A Prometheus that scrapes every second. */
export class Prometheus {
  readonly url: string
  readonly #child: Child
  readonly #folder: string

  private constructor(url: string, child: Child, folder: string) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async start(
    { prometheus }: PrometheusPrograms,
    { jobs, rules = [OWN_RULES], labels = {}, externalLabels = {} }: PrometheusOptions,
  ): Promise<Prometheus> {
    const [folder, port] = await Promise.all([temporaryFolder('prometheus'), freePort()])
    const config = {
      global: {
        ...{ scrape_interval: '1s', evaluation_interval: '1s' },
        external_labels: externalLabels,
      },
      rule_files: rules,
      scrape_configs: Object.entries(jobs).map(([job, ports]) => ({
        job_name: job,
        static_configs: ports.map((port) => ({
          targets: [`127.0.0.1:${port}`],
          labels: labels[port] ?? {},
        })),
      })),
    }
    // YAML is a superset of JSON.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
    const url = `http://127.0.0.1:${port}`
    const child = await startChild({
      name: 'prometheus',
      command: prometheus,
      args: [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      cwd: folder,
    })
    await child.waitUntilReady(`${url}/-/ready`)
    return new Prometheus(url, child, folder)
  }

  /** `atS`: seconds since 1970; now unless told. */
  async query(expr: string, atS?: number): Promise<readonly Sample[]> {
    const time = atS === undefined ? {} : { time: String(atS) }
    return this.#ask<Sample>('query', { query: expr, ...time })
  }

  async range(expr: string, { fromS, toS, stepS }: Range): Promise<readonly Series[]> {
    const range = { start: String(fromS), end: String(toS), step: String(stepS) }
    return this.#ask<Series>('query_range', { query: expr, ...range })
  }

  async get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${path}`)
    return ((await answer.json()) as { data: unknown }).data
  }

  async stop(): Promise<void> {
    await this.#child.stop(3_000)
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #ask<T>(path: string, fields: Record<string, string>): Promise<readonly T[]> {
    const body = new URLSearchParams(fields)
    const answer = await fetch(`${this.url}/api/v1/${path}`, { method: 'POST', body })
    const { status, error, data } = (await answer.json()) as {
      status: string
      error?: string
      data?: { result: T[] }
    }
    if (status !== 'success') throw new Error(`${error ?? status} in ${fields.query ?? path}`)
    return data?.result ?? []
  }
}
