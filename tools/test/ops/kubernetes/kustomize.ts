import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { PRIVATE } from '../../../src/folders.js'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

/** Renders a kustomization with kubectl, with further components as if it named them. */
export function render(
  kubectl: string,
  folder: string,
  components: readonly string[] = [],
): Manifest[] {
  const parent = join(PRIVATE, 'test')
  mkdirSync(parent, { recursive: true })
  const work = mkdtempSync(join(parent, 'kustomize-'))
  const paths = (folders: readonly string[]) => folders.map((path) => relative(work, path))
  // YAML is a superset of JSON.
  writeFileSync(
    join(work, 'kustomization.yaml'),
    JSON.stringify({ resources: paths([folder]), components: paths(components) }),
  )
  const { status, stdout, stderr } = spawnSync(kubectl, ['kustomize', work])
  rmSync(work, { recursive: true, force: true })
  if (status !== 0) throw new Error(`${folder} with ${components.join(', ')}: ${stderr.toString()}`)
  return parsed(stdout.toString(), folder)
}

export function readManifests(file: string): Manifest[] {
  return parsed(readFileSync(file, 'utf8'), file)
}

function parsed(text: string, from: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(`${from}: ${document.errors[0]}`)
    // Anchors are resolved here, so that what is compared is what a cluster gets.
    return structuredClone(document.toJS()) as Manifest
  })
}
