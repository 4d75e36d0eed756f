import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly value: unknown
}

interface Kustomization {
  readonly namespace?: string
  readonly resources?: readonly string[]
  readonly components?: readonly string[]
  readonly images?: readonly { name: string; newName: string; newTag: string }[]
  readonly patches?: readonly { patch: string; target?: { kind: string; name: string } }[]
}

/** What of kustomize the manifests of relay may use: anything else has to be added here first. */
const KNOWN = ['apiVersion', 'kind', 'namespace', 'resources', 'components', 'images', 'patches']
const CLUSTER_WIDE = ['Namespace']

/**
 * Renders a kustomization as `kubectl kustomize` would, for the features relay uses, with further
 * components as if it named them.
 */
export function render(folder: string, components: readonly string[] = []): Manifest[] {
  return apply(folder, [], components)
}

function apply(
  folder: string,
  given: readonly Manifest[],
  more: readonly string[] = [],
): Manifest[] {
  const text = readFileSync(join(folder, 'kustomization.yaml'), 'utf8')
  const spec = parse(text) as Kustomization
  const unknown = Object.keys(spec).filter((field) => !KNOWN.includes(field))
  if (unknown.length > 0) throw new Error(`${folder}: ${unknown.join(', ')} is not rendered here`)
  let all = [...given]
  for (const resource of spec.resources ?? []) {
    const path = join(folder, resource)
    all.push(...(resource.endsWith('.yaml') ? readManifests(path) : render(path)))
  }
  for (const component of [...(spec.components ?? []), ...more])
    all = apply(join(folder, component), all)
  for (const patch of spec.patches ?? []) all = patched(all, patch, folder)
  return all.map((manifest) => named(manifest, spec))
}

export function readManifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    // Anchors are resolved here, so that what is compared is what a cluster gets.
    if (document.errors.length > 0) throw new Error(`${file}: ${String(document.errors[0])}`)
    return structuredClone(document.toJS()) as Manifest
  })
}

function patched(
  all: readonly Manifest[],
  { patch, target }: NonNullable<Kustomization['patches']>[number],
  folder: string,
): Manifest[] {
  const content = parse(patch) as Manifest | Operation[]
  const wanted = target ?? {
    kind: (content as Manifest).kind,
    name: (content as Manifest).metadata.name,
  }
  const isWanted = ({ kind, metadata }: Manifest) =>
    kind === wanted.kind && metadata.name === wanted.name
  // As kustomize does: a patch that selects its target may select nothing.
  if (target === undefined && !all.some(isWanted))
    throw new Error(`${folder}: no ${wanted.kind} ${wanted.name} to patch`)
  return all.flatMap((manifest): Manifest[] => {
    if (!isWanted(manifest)) return [manifest]
    if (Array.isArray(content)) {
      return [content.reduce<Manifest>(operate, structuredClone(manifest))]
    }
    return content.$patch === 'delete' ? [] : [merge(manifest, content) as Manifest]
  })
}

/** Only "add at the end of a list" and "replace a value". */
function operate(manifest: Manifest, { op, path, value }: Operation): Manifest {
  const steps = path.split('/').slice(1)
  const last = steps.at(-1) ?? ''
  const isAppended = op === 'add' && last === '-'
  if (!isAppended && op !== 'replace') throw new Error(`${op} ${path} is not rendered here`)
  const parent = steps.slice(0, -1).reduce<unknown>((at, step) => {
    return (at as Record<string, unknown>)[step]
  }, manifest)
  if (isAppended) (parent as unknown[]).push(value)
  else {
    const fields = parent as Record<string, unknown>
    if (!(last in fields)) throw new Error(`${path} is not there to be replaced`)
    fields[last] = value
  }
  return manifest
}

/** Maps are merged; lists would need their merge keys and are refused. */
function merge(base: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) throw new Error('patches of lists are not rendered here')
  if (typeof patch !== 'object' || patch === null) return patch
  const merged: Record<string, unknown> = { ...(base as Record<string, unknown>) }
  for (const [key, value] of Object.entries(patch)) merged[key] = merge(merged[key], value)
  return merged
}

function named(manifest: Manifest, { namespace, images }: Kustomization): Manifest {
  const text = JSON.stringify(manifest, (key, value: unknown) => {
    const image = key === 'image' && images?.find(({ name }) => name === value)
    return image ? `${image.newName}:${image.newTag}` : value
  })
  const copy = JSON.parse(text) as Manifest
  if (namespace === undefined || CLUSTER_WIDE.includes(copy.kind)) return copy
  return { ...copy, metadata: { ...copy.metadata, namespace } }
}
