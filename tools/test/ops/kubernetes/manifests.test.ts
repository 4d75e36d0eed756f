import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'
import { SETTINGS } from '@relay/shared/config/settings.js'
import { kubectlHere } from '../../../src/fetch/programs.js'
import { unknownFields } from './fields.js'
import { readManifests, render, type Manifest } from './kustomize.js'
import { schemaProblem } from './schemas.js'

const OVERLAYS = ['staging', 'production'] as const
const folder = (overlay: string) => join(ROOT, 'k8s/overlays', overlay)
const kubectl = kubectlHere()
/** Where there is none, the suite says so in capitals. */
const whenThere = kubectl === null ? describe.skip : describe
const rendered = new Map(
  OVERLAYS.map((overlay) => [
    overlay,
    kubectl === null ? [] : render(kubectl.path, folder(overlay)),
  ]),
)
const secrets = (overlay: string) => readManifests(join(folder(overlay), 'secrets.example.yaml'))

const COMPONENTS = readdirSync(join(ROOT, 'k8s/components'))

interface PodSpec {
  readonly containers: readonly Container[]
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumes?: readonly { secret?: { secretName: string } }[]
  readonly terminationGracePeriodSeconds?: number
}
interface Rule {
  readonly from?: readonly object[]
  readonly to?: readonly object[]
  readonly ports: readonly { port: string | number }[]
}
interface Container {
  readonly name: string
  readonly image: string
  readonly ports: readonly { name: string; containerPort: number }[]
  readonly env?: readonly { name: string; value: string }[]
  readonly envFrom?: readonly { secretRef?: { name: string }; configMapRef?: { name: string } }[]
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly livenessProbe?: { httpGet: { path: string } }
  readonly resources: { limits: Readonly<Record<string, string>> }
}

function pods(manifests: readonly Manifest[]): { name: string; spec: PodSpec }[] {
  return manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      spec: (spec as { template: { spec: PodSpec } }).template.spec,
    }))
}

whenThere('the check of fields', () => {
  test('sees a misspelt one', async () => {
    const [deployment] = rendered.get('staging')!.filter(({ kind }) => kind === 'Deployment')
    const misspelt = JSON.parse(
      JSON.stringify(deployment).replace('readinessProbe', 'readinesProbe'),
    ) as Manifest
    expect(await unknownFields([deployment!])).toEqual([])
    expect(await unknownFields([misspelt])).toHaveLength(1)
  })
})

whenThere.each(OVERLAYS)('the overlay %s', (overlay) => {
  test('no pod is without a network policy, and no secret is in the environment of relay', () => {
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy')
    const covered = policies.map(({ metadata }) => metadata.name).sort()
    expect(covered).toEqual(
      pods(manifests)
        .map(({ name }) => name)
        .sort(),
    )
    for (const { name, spec } of pods(manifests)) {
      const sources = spec.containers.flatMap(({ envFrom }) => envFrom ?? [])
      if (name.startsWith('relay-')) {
        expect(sources.filter(({ secretRef }) => secretRef !== undefined)).toEqual([])
      }
    }
  })

  const manifests = rendered.get(overlay)!
  const all = [...manifests, ...secrets(overlay)]

  test('reaches named peers only, and is reached on the ops port by Prometheus alone', () => {
    const rules = (direction: 'ingress' | 'egress') =>
      manifests
        .filter(
          ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.startsWith('relay-'),
        )
        .flatMap(({ spec }) => (spec as Readonly<Record<string, readonly Rule[]>>)[direction] ?? [])
    expect(rules('egress').filter(({ to }) => to === undefined)).toEqual([])
    const ops = rules('ingress').filter(({ ports }) => ports.some(({ port }) => port === 'ops'))
    expect(ops).toHaveLength(2)
    for (const { from } of ops) {
      expect(from).toMatchObject([
        { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } } },
      ])
    }
  })

  test("gives MoEngage's keys to workers alone", () => {
    const mounted = (name: string) =>
      pods(manifests)
        .filter(({ spec }) => spec.volumes?.some(({ secret }) => secret?.secretName === name))
        .map((pod) => pod.name)
    expect(mounted('relay-moengage-keys')).toEqual(['relay-worker'])
    const workspaces = secrets(overlay).find(({ metadata }) => metadata.name === 'relay-workspaces')
    expect(JSON.stringify(workspaces)).not.toContain('apiKey\\"')
  })

  test('holds only what the schemas of the APIs know, nothing missing and nothing misspelt', async () => {
    expect(all.map(schemaProblem).filter((problem) => problem !== null)).toEqual([])
    expect(await unknownFields(all)).toEqual([])
  })

  test('names every object once and puts all of them into its namespace', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
    const [namespace] = manifests.filter(({ kind }) => kind === 'Namespace')
    for (const { kind, metadata } of manifests) {
      if (kind !== 'Namespace') expect(metadata.namespace).toBe(namespace!.metadata.name)
    }
  })

  test('gives no pod rights, a writable root or unbounded memory', () => {
    for (const { spec } of pods(manifests)) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      for (const container of spec.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.resources.limits.memory).toMatch(/^\d+(Mi|Gi)$/)
        expect(container.image).toMatch(/:\w/)
      }
    }
  })

  test('never lets liveness depend on Redis, and gives SIGTERM its 15 s', () => {
    for (const { name, spec } of pods(manifests)) {
      if (!name.startsWith('relay-')) continue
      expect(spec.containers[0]!.livenessProbe!.httpGet.path).toBe('/healthz')
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(20)
    }
  })

  const has = (kind: string, name: string) =>
    all.some((found) => found.kind === kind && found.metadata.name === name)

  test('refers only to secrets and settings that exist', () => {
    const missing = pods(manifests).flatMap(({ spec }) => {
      const secretNames = (spec.volumes ?? []).map(({ secret }) => secret?.secretName)
      const sources = spec.containers.flatMap(({ envFrom }) => envFrom ?? [])
      const fromEnv = sources.map(({ secretRef }) => secretRef?.name)
      const settings = sources.map(({ configMapRef }) => configMapRef?.name)
      return [
        ...[...secretNames, ...fromEnv].filter(
          (name) => name !== undefined && !has('Secret', name),
        ),
        ...settings.filter((name) => name !== undefined && !has('ConfigMap', name)),
      ]
    })
    expect(missing).toEqual([])
  })

  test('scales and serves only workloads and ports that exist', () => {
    const ports = pods(manifests).flatMap(({ spec }) => spec.containers[0]!.ports)
    for (const { kind, spec } of manifests) {
      const { scaleTargetRef, ports: own } = (spec ?? {}) as {
        scaleTargetRef?: { name: string }
        ports?: { targetPort: string }[]
      }
      if (scaleTargetRef) expect(has('Deployment', scaleTargetRef.name)).toBe(true)
      if (kind !== 'Service') continue
      for (const { targetPort } of own!) expect(ports.map(({ name }) => name)).toContain(targetPort)
    }
  })

  test('scales workers by its own relay alone, and never down for want of an answer', () => {
    const [namespace] = manifests.filter(({ kind }) => kind === 'Namespace')
    const [scaled] = manifests.filter(({ kind }) => kind === 'ScaledObject')
    const { fallback, maxReplicaCount, triggers } = scaled!.spec as {
      fallback: { replicas: number }
      maxReplicaCount: number
      triggers: { metadata: Record<string, string> }[]
    }
    const { query, ignoreNullValues } = triggers[0]!.metadata
    expect(query).toBe(`max(relay_workers_wanted{namespace="${namespace!.metadata.name}"})`)
    expect(ignoreNullValues).toBe('false')
    expect(fallback.replicas).toBe(maxReplicaCount)
  })

  test('an apply resets the replicas of nothing that is scaled', () => {
    const scaled = scaledNames(manifests)
    const fixed = manifests
      .filter(({ kind, spec }) => kind === 'Deployment' && 'replicas' in (spec as object))
      .map(({ metadata }) => metadata.name)
    expect(fixed.filter((name) => scaled.includes(name))).toEqual([])
  })

  test('sets only variables that relay knows', () => {
    const config = all.find(({ metadata }) =>
      metadata.name.startsWith('relay-config-'),
    ) as unknown as {
      data: Record<string, string>
    }
    const secret = all.find(({ metadata }) => metadata.name === 'relay-secrets') as unknown as {
      stringData: Record<string, string>
    }
    const own = pods(manifests).flatMap(({ name, spec }) =>
      name.startsWith('relay-') ? (spec.containers[0]!.env ?? []) : [],
    )
    const given = [
      ...[...Object.keys(config.data), ...Object.keys(secret.stringData)],
      ...own.map((variable) => variable.name),
    ]
    expect(given).toContain('REDIS_URL')
    // Every file that is named is a key of the mounted secret.
    const files = [...Object.entries(config.data), ...own.map(({ name, value }) => [name, value])]
    const secretFiles = files.filter(([, value]) => value?.startsWith('/etc/relay/secrets/'))
    expect(secretFiles.length).toBeGreaterThanOrEqual(2)
    for (const [name, path] of secretFiles) {
      expect([name, path]).toEqual([expect.stringMatching(/_FILE$/), expect.any(String)])
      expect(Object.keys(secret.stringData)).toContain(path!.split('/').at(-1))
    }
    expect(given.filter((name) => !(name in SETTINGS))).toEqual([])
  })

  test('names the jobs of Prometheus as rules and dashboards expect', () => {
    const monitors = manifests.filter(({ kind }) => kind === 'ServiceMonitor')
    expect(monitors.map(({ metadata }) => metadata.name).sort()).toEqual([
      'relay-api',
      'relay-worker',
    ])
  })
})

/** The autoscalers' targets among the manifests. */
function scaledNames(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap(({ spec }) => {
    const { scaleTargetRef } = (spec ?? {}) as { scaleTargetRef?: { name: string } }
    return scaleTargetRef ? [scaleTargetRef.name] : []
  })
}

whenThere.each(OVERLAYS)('the overlay %s with each component', (overlay) => {
  const variants = new Map(
    COMPONENTS.map((name) => [
      name,
      kubectl === null
        ? []
        : render(kubectl.path, folder(overlay), [join(ROOT, 'k8s/components', name)]),
    ]),
  )

  test('renders to what the schemas of the APIs know', async () => {
    const all = [...variants.values()].flat()
    expect(all.map(schemaProblem).filter((problem) => problem !== null)).toEqual([])
    // One run of the compiler; what several components leave alike is checked once.
    const distinct = new Map(all.map((manifest) => [JSON.stringify(manifest), manifest]))
    expect(await unknownFields([...distinct.values()])).toEqual([])
  })

  test.each(COMPONENTS)('with %s, scales no workload twice and resets no autoscaler', (name) => {
    const manifests = variants.get(name)!
    const scaled = scaledNames(manifests)
    expect(scaled).toEqual([...new Set(scaled)])
    for (const { kind, metadata, spec } of manifests) {
      if (kind === 'Deployment' && scaled.includes(metadata.name))
        expect(spec).not.toHaveProperty('replicas')
    }
  })

  test.each([
    ['without-keda', 'ScaledObject'],
    ['worker-hpa', 'ScaledObject'],
    ['without-monitoring-operator', 'ServiceMonitor'],
    ['without-monitoring-operator', 'PrometheusRule'],
  ])('with %s, needs no kind %s', (name, kind) =>
    expect(variants.get(name)!.filter((manifest) => manifest.kind === kind)).toEqual([]),
  )

  test.each([
    ['redis-sentinel', 26379],
    ['redis-tls', 6380],
    ['otlp', 4318],
    ['openshift', 5353],
  ])('with %s, opens the port %i for api and worker', (name, port) => {
    const opened = variants
      .get(name)!
      .filter(({ kind, spec }) => {
        const { egress = [] } = (spec ?? {}) as { egress?: { ports?: { port: number }[] }[] }
        const ports = egress.flatMap(({ ports: own }) => own ?? [])
        return kind === 'NetworkPolicy' && ports.some(({ port: one }) => one === port)
      })
      .map(({ metadata }) => metadata.name)
    expect(opened.sort()).toEqual(['relay-api', 'relay-worker'])
  })

  test('on OpenShift, leaves the user of every workload to the cluster', () => {
    const users = pods(variants.get('openshift')!).flatMap(({ name, spec }) =>
      [spec, ...spec.containers].flatMap(({ securityContext = {} }) =>
        Object.keys(securityContext)
          .filter((field) => /^(runAsUser|runAsGroup|fsGroup)$/.test(field))
          .map((field) => `${name} ${field}`),
      ),
    )
    expect(users).toEqual([])
  })
})

test('without the operator, the endpoints of each Service are scraped, with the label namespace', () => {
  const file = join(ROOT, 'k8s/components/without-monitoring-operator/scrape.yml')
  const { scrape_configs: jobs } = readManifests(file)[0] as unknown as {
    scrape_configs: {
      job_name: string
      kubernetes_sd_configs: object[]
      relabel_configs: object[]
    }[]
  }
  const services = ['api', 'worker']
    .flatMap((name) => readManifests(join(ROOT, `k8s/base/${name}.yaml`)))
    .filter(({ kind }) => kind === 'Service')
  expect(jobs.map(({ job_name: name }) => name)).toEqual(
    services.map(({ metadata }) => metadata.name),
  )
  for (const { job_name: name, kubernetes_sd_configs: discovery, relabel_configs: rules } of jobs) {
    expect(discovery).toEqual([expect.objectContaining({ role: 'endpoints' })])
    expect(rules).toContainEqual(expect.objectContaining({ regex: `${name};ops`, action: 'keep' }))
    expect(rules).toContainEqual({
      source_labels: ['__meta_kubernetes_namespace'],
      target_label: 'namespace',
    })
  }
})

test('the adapter’s rule takes the maximum, as every process reports the same number', () => {
  const file = join(ROOT, 'k8s/components/worker-hpa/prometheus-adapter.yaml')
  const values = readManifests(file)[0] as unknown as {
    rules: { external: { name: { as: string }; metricsQuery: string }[] }
  }
  const [rule] = values.rules.external
  const [hpa] = readManifests(join(ROOT, 'k8s/components/worker-hpa/hpa.yaml'))
  expect(JSON.stringify(hpa)).toContain(`"name":"${rule!.name.as}"`)
  expect(rule!.metricsQuery).toMatch(/^max\(/)
})

test('without KEDA, the component puts a plain autoscaler in its place', () => {
  expect(existsSync(join(ROOT, 'k8s/components/worker-hpa/hpa.yaml'))).toBe(true)
  const text = readFileSync(join(ROOT, 'k8s/components/worker-hpa/kustomization.yaml'), 'utf8')
  expect(text).toContain('$patch: delete')
  const [hpa] = readManifests(join(ROOT, 'k8s/components/worker-hpa/hpa.yaml'))
  expect(schemaProblem(hpa!)).toBeNull()
})
