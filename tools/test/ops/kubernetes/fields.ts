import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../../src/folders.js'
import ts from 'typescript'
import type { Manifest } from './kustomize.js'

/** Where the type of each kind comes from. */
const TYPES: Readonly<Record<string, string>> = {
  'apps/v1': 'kubernetes-models/apps/v1',
  'autoscaling/v2': 'kubernetes-models/autoscaling/v2',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'policy/v1': 'kubernetes-models/policy/v1',
  v1: 'kubernetes-models/v1',
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
}

/**
 * Fields that the API of a manifest does not know, and values of a wrong type. The schemas let
 * unknown fields pass, as the API server long did; the compiler's check of object literals does not.
 */
export async function unknownFields(manifests: readonly Manifest[]): Promise<string[]> {
  const folder = await temporaryFolder('manifests')
  const file = join(folder, 'manifests.ts')
  const lines = manifests.map((manifest, i) => {
    const module = TYPES[manifest.apiVersion] ?? manifest.apiVersion
    const type = `import('${module}').I${manifest.kind}`
    return `export const m${i}: ${type} = ${JSON.stringify(manifest)}`
  })
  writeFileSync(file, lines.join('\n'))
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  })
  const problems = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const at = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0
    const { kind, metadata } = manifests[at] ?? { kind: '?', metadata: { name: '?' } }
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')
    return `${kind} ${metadata.name}: ${text}`
  })
  rmSync(folder, { recursive: true, force: true })
  return problems
}
