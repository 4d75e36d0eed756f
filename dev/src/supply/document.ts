import { table, type Row } from '../docs/table.js'
import { directDependencies, shippedPackages, type Direct, type Lockfile } from './lockfile.js'
import { REASONS } from './reasons.js'

const HEAD = `# Dependencies

Made from package-lock.json by \`npm run docs:dependencies\`; a test fails when this page, or a reason, is out of step.

- Installed by \`npm ci\` alone, from the lockfile with its digests; no install script is needed.
- \`npm run sbom\` prints a bill of materials of what is shipped (CycloneDX). \`npm audit --omit=dev\` asks the registry for known faults: before
  every release, and in a job of its own where the registry answers it (mirrors often do not). It is no step of \`.ci/run\`, which has to give
  the same verdict on the same commit every day. No result stands here: the registry that this page was made behind answers audits with 405.
- What runs is few and pinned by the lockfile; BullMQ is pinned exactly, since relay wraps one of its scripts.
- Written by hand, and so not here: the problem envelope, graceful shutdown, retry and hold decisions, the NDJSON splitter, the
  fault-injecting proxy of the tests, certificates of the tests.`

/** `docs/dependencies.md`. Throws for a direct dependency without a reason, and for a reason without one. */
export function dependenciesDocument(lockfile: Lockfile): string {
  const direct = directDependencies(lockfile)
  const missing = direct.filter(({ name }) => REASONS[name] === undefined)
  if (missing.length > 0) throw new Error(`no reason is given for ${names(missing)}`)
  const stale = Object.keys(REASONS).filter((name) => !direct.some((one) => one.name === name))
  if (stale.length > 0)
    throw new Error(`a reason is given for what is not used: ${stale.join(', ')}`)
  const runtime = direct.filter(({ isRuntime }) => isRuntime)
  const others = direct.filter(({ isRuntime }) => !isRuntime)
  return [
    HEAD,
    `## What runs: ${String(runtime.length)} direct dependencies`,
    directTable(runtime),
    shippedSection(lockfile),
    `## What builds, checks and tests: ${String(others.length)}`,
    directTable(others),
  ].join('\n\n')
}

function names(all: readonly { readonly name: string }[]): string {
  return all.map(({ name }) => name).join(', ')
}

function directTable(direct: readonly Direct[]): string {
  const rows = direct.map(({ name, version, license, users }): Row => {
    return [`\`${name}\``, version, license, users.join(', '), REASONS[name] ?? '']
  })
  return table([['package', 'version', 'licence', 'used by', 'why'], ...rows])
}

/** Packages that come along, by licence. */
function shippedSection(lockfile: Lockfile): string {
  const shipped = shippedPackages(lockfile)
  const byLicense = new Map<string, string[]>()
  for (const { name, license } of shipped) {
    byLicense.set(license, [...(byLicense.get(license) ?? []), name])
  }
  const rows = [...byLicense]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([license, own]): Row => [license, String(own.length), [...new Set(own)].join(', ')])
  return [
    `With all that they bring along, api, worker and command line need ${String(shipped.length)} packages:`,
    table([['licence', 'packages', 'which'], ...rows]),
  ].join('\n\n')
}
