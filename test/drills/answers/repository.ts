import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { PRIVATE, ROOT } from '@relay/tools/folders.js'
import { findKubectl } from '@relay/tools/fetch/programs.js'
import { runCommand } from '@relay/tools/process/command.js'
import type { Line } from './line.js'

/** Lines of a file that match, without what surrounds them. */
async function quoted(path: string, pattern: RegExp): Promise<string> {
  const text = await readFile(join(ROOT, path), 'utf8')
  const found = text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.trim().replace(/ \\$/, ''))
  return [...new Set(found)].join(' / ')
}

/** What a cluster gets of an overlay with a component. */
async function rendered(overlay: string, ...components: readonly string[]): Promise<string> {
  const kubectl = await findKubectl()
  if ('problem' in kubectl) throw new Error(`No kubectl: ${kubectl.problem}`)
  const folder = await mkdtemp(join(PRIVATE, 'render-'))
  const path = (...parts: readonly string[]) => relative(folder, join(ROOT, 'k8s', ...parts))
  try {
    const kustomization = {
      resources: [path('overlays', overlay)],
      components: components.map((name) => path('components', name)),
    }
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    const { code, stdout, stderr } = await runCommand(kubectl.path, ['kustomize', folder])
    if (code !== 0) throw new Error(stderr)
    return stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const linesOf = (text: string, pattern: RegExp) =>
  [...new Set(text.split('\n').filter((line) => pattern.test(line)).map((line) => line.trim()))].join(' / ') // prettier-ignore
const kinds = (text: string) => String(text.match(/^kind: /gm)?.length ?? 0)

const keda: Line = {
  lines: [8],
  before:
    'KEDA: without `ignoreNullValues: "false"` an empty answer scales to 2; the fallback of 4 cuts 16; `max(relay_workers_wanted)` over namespaces. `staging` with `components/worker-hpa` does not render. An adapter rule with `max` is missing. HPA beside `replicas` resets a scaled api.',
  see: async () => {
    const production = await rendered('production')
    const scaled = production.split('---').find((one) => one.includes('kind: ScaledObject')) ?? ''
    const staging = await rendered('staging', 'worker-hpa')
    return {
      production: linesOf(scaled, /ignoreNull|query|replicas:|maxReplica/),
      'staging with worker-hpa': `${kinds(staging)} manifests; ${linesOf(staging, /averageValue/)}`,
      'prometheus-adapter.yaml': await quoted(
        'k8s/components/worker-hpa/prometheus-adapter.yaml',
        /metricsQuery/,
      ),
      'replicas of Deployments':
        linesOf(
          production
            .split('---')
            .filter((one) => one.includes('kind: Deployment'))
            .join('\n'),
          /^ {2}replicas/,
        ) || 'none',
    }
  },
}

const monitoring: Line = {
  lines: [9],
  before:
    'kube-prometheus-stack ignores the ServiceMonitors (no `release` label), `apply -k` fails without its CRDs; documented order applies Secrets before the Namespace; ConfigMap changes roll nothing out; a hard-coded `monitoring` namespace; Sentinel, 6380 and OpenShift DNS blocked; `docs/operations` does not exist.',
  see: async () => {
    const labelled = await rendered('production', 'monitoring-labels')
    const monitor = labelled.split('---').find((one) => one.includes('kind: ServiceMonitor')) ?? ''
    const bare = await rendered('production', 'without-monitoring-operator', 'without-keda')
    const ports = async (name: string, port: RegExp) =>
      linesOf(await rendered('production', name), port)
    const search = ['grep', '-l', 'docs/operations', '--', ':!test', ':!docs/reports']
    const links = await runCommand('git', search, { cwd: ROOT })
    return {
      'monitoring-labels': linesOf(monitor, /release/),
      'without-monitoring-operator, without-keda': `${kinds(bare)} manifests, of them ${bare.match(/^kind: (ServiceMonitor|PrometheusRule|ScaledObject)/gm)?.length ?? 0} that need a CRD`,
      ConfigMap: linesOf(labelled, /name: relay-config/),
      ...{ 'redis-sentinel': await ports('redis-sentinel', /port: 26379/) },
      ...{ 'redis-tls': await ports('redis-tls', /port: 6380/) },
      ...{ openshift: await ports('openshift', /port: 5353/) },
      'deployment.md': await quoted(
        'docs/guide/deployment.md',
        /namespace.yaml|serverAddress|in the namespace `mon/,
      ),
      'files that name docs/operations': links.stdout.trim() || 'none',
    }
  },
}

/** A row of the table of the last run on an engine. */
const engine = async (pattern: RegExp) =>
  (await quoted('docs/reports/engine.md', pattern))
    .split(/\s*\|\s*/)
    .filter(Boolean)
    .join(': ')

const compose: Line = {
  lines: [11],
  before:
    'Compose: a stopped api gives a 502 and an 11 s stall; with a real workspace the simulator still starts and is handed the real API key; `MOENGAGE_DC` is not passed on.',
  see: async () => ({
    'relay.conf': await quoted(
      'ops/compose/nginx/relay.conf',
      /proxy_next_upstream|connect_timeout/,
    ),
    'docker-compose.yml': await quoted(
      'docker-compose.yml',
      /MOENGAGE_DC:|SIM_WORKSPACES|never gets/,
    ),
    'the engine, recorded': await engine(/stopped api/),
  }),
}

const images: Line = {
  lines: [12],
  before:
    "No command line in any image; the worker's image carries express and swagger-ui; no OCI labels; no way in for a private CA or npmrc.",
  see: async () => {
    const worker = await readFile(join(ROOT, 'services/worker/package.json'), 'utf8')
    return {
      Dockerfile: await quoted('Dockerfile', /relay.mjs|image.version|^RUN --mount.*npmrc/),
      "the worker's dependencies": Object.keys((JSON.parse(worker) as { dependencies: object }).dependencies).join(', '), // prettier-ignore
      'the engine, recorded': await engine(/command line/),
    }
  },
}

const releases: Line = {
  lines: [13],
  before:
    'Nothing is published: no workflow that builds, tests, scans and pushes images, no version tags, changelog all "Unreleased", no upgrade notes.',
  see: async () => ({
    '.github/workflows': (await readdir(join(ROOT, '.github/workflows'))).join(', '),
    'images.yml': await quoted(
      '.github/workflows/images.yml',
      /tags: \[|uses: .*(build-push|attest|scan|trivy|grype)/,
    ),
    'CHANGELOG.md': await quoted('CHANGELOG.md', /^##+ .*\d/),
    tags: (await runCommand('git', ['tag'], { cwd: ROOT })).stdout.trim() || 'none',
  }),
}

const node: Line = {
  lines: [14],
  before: 'Tests run on Node 20 (end of life since April 2026), images on 24.',
  see: async () => ({
    'ci.yml': await quoted('.github/workflows/ci.yml', /node: \[|node-version: \d/),
    'package.json': await quoted('package.json', /"node":/),
    Dockerfile: await quoted('Dockerfile', /^ARG NODE_IMAGE/),
  }),
}

const contributing: Line = {
  lines: [16],
  before:
    "Contributor's guide: step 4 names no test (the one it leads to is green while the case fails), no word that event cases need a time, the metric guide omits `traced-observer.ts`.",
  see: async () => ({
    'CONTRIBUTING.md': await quoted(
      'CONTRIBUTING.md',
      /^4\. Cases|event case need a time|traced-observer/,
    ),
  }),
}

export const REPOSITORY_LINES: readonly Line[] = [
  ...[keda, monitoring, compose, images, releases, node, contributing],
]
