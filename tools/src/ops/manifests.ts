import { readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { dashboardFiles } from './dashboards/build.js'

const RULES = ['relay-recording.yml', 'relay-alerts.yml']
const MADE = '# Made by npm run ops:manifests; do not edit.\n'

/** File name in `k8s/base/generated` and its text: rules and dashboards as Kubernetes takes them. */
export function manifestFiles(): Map<string, string> {
  const groups = RULES.flatMap((name) => {
    const text = readFileSync(new URL(`../../../ops/rules/${name}`, import.meta.url), 'utf8')
    return (parse(text) as { groups: object[] }).groups
  })
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'relay' },
    spec: { groups },
  }
  const files = new Map([['rules.yaml', MADE + stringify(rule)]])
  for (const [name, text] of dashboardFiles()) {
    const base = name.replace('.json', '')
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      // Grafana's sidecar takes up every ConfigMap with this label.
      metadata: { name: `${base}-dashboard`, labels: { grafana_dashboard: '1' } },
      data: { [name]: text },
    }
    files.set(`${base}.yaml`, MADE + stringify(configMap, { lineWidth: 0 }))
  }
  return files
}
