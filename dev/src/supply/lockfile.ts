/** The parts of package-lock.json (version 3) that are looked at. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, Locked>>
}

interface Locked {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly link?: boolean
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Installed {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** Direct dependencies by name, with the workspaces that have them. */
export interface Direct {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly users: readonly string[]
  readonly isRuntime: boolean
}

/** What the image carries: the closures of these. */
export const SHIPPED = ['services/api', 'services/worker', 'cli'] as const

export function directDependencies({ packages }: Lockfile): Direct[] {
  const uses = Object.entries(packages)
    .filter(([path]) => !path.includes('node_modules/'))
    .flatMap(([path, own]) => usesOf(path, own))
  const known = [...new Set(uses.map(({ name }) => name))].sort()
  return known.map((name) => {
    const own = uses.filter((use) => use.name === name)
    const at = locate(packages, own[0]?.path ?? '', name)
    return {
      ...{ name, ...described(packages[at]) },
      users: own.map(({ path }) => (path === '' ? '.' : path)),
      isRuntime: own.some(({ isRuntime }) => isRuntime),
    }
  })
}

interface Use {
  readonly name: string
  /** Of the workspace. */
  readonly path: string
  readonly isRuntime: boolean
}

function usesOf(path: string, { dependencies = {}, devDependencies = {} }: Locked): Use[] {
  const isShipped = path === 'shared' || SHIPPED.some((shipped) => shipped === path)
  const theirs = (all: object) => Object.keys(all).filter((name) => !name.startsWith('@relay/'))
  return [
    ...theirs(dependencies).map((name) => ({ name, path, isRuntime: isShipped })),
    ...theirs(devDependencies).map((name) => ({ name, path, isRuntime: false })),
  ]
}

/** Everything that the shipped packages need, themselves and relay's own left out. */
export function shippedPackages({ packages }: Lockfile): Installed[] {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const { dependencies, optionalDependencies, link, resolved } = packages[path] ?? {}
    if (link && resolved !== undefined) visit(resolved)
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = locate(packages, path, name)
      if (found !== '') visit(found)
    }
  }
  for (const path of SHIPPED) visit(path)
  const theirs = [...seen].filter((path) => path.includes('node_modules/') && !packages[path]?.link)
  return theirs
    .map((path) => ({ name: nameOf(path), ...described(packages[path]) }))
    .map((one, _, all) => ({ ...one, license: one.license || siblingLicense(one, all) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where Node would find `name` from `path`; '' when it is not installed (optional ones). */
function locate(packages: Lockfile['packages'], path: string, name: string): string {
  for (let folder = path; ; folder = parentOf(folder)) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[candidate] !== undefined) return candidate
    if (folder === '') return ''
  }
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** Builds for machines other than the one that made the lockfile are listed without their licence. */
function siblingLicense({ name, version }: Installed, all: readonly Installed[]): string {
  const scope = name.slice(0, name.indexOf('/') + 1)
  const sibling = all.find(
    (one) => scope !== '' && one.name.startsWith(scope) && one.version === version && one.license,
  )
  return sibling?.license ?? 'not stated'
}

function described(locked: Locked | undefined) {
  return { version: locked?.version ?? '', license: locked?.license ?? '' }
}
