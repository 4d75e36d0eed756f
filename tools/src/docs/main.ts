import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorsPage } from '@relay/api/openapi/errors.js'
import { ROOT } from '../folders.js'
import { dashboardFiles } from '../ops/dashboards/build.js'
import { manifestFiles } from '../ops/manifests.js'
import { metricCatalogue, metricsDocument } from '../ops/metrics.js'
import { simulateDay, plotDay } from '../ops/scaling-day.js'
import { envExample, withSettings } from './settings.js'
import { writePage } from './page.js'
import { vendorCoverage } from './vendor.js'

/** The generators of `npm run docs:…` and `npm run ops:…`, by name. */
const GENERATORS: Readonly<Record<string, (folder?: string) => Promise<void>>> = {
  async settings() {
    const file = join(ROOT, 'docs/reference/configuration.md')
    await writeFile(file, withSettings(await readFile(file, 'utf8')))
    await writeFile(join(ROOT, '.env.example'), envExample())
  },
  metrics: () =>
    writePage(join(ROOT, 'docs/reference/metrics.md'), metricsDocument(metricCatalogue())),
  errors: () => writeFile(join(ROOT, 'docs/reference/errors.md'), errorsPage()),
  vendor: (folder) =>
    writePage(join(ROOT, 'docs/reference/vendor-coverage.md'), vendorCoverage(folder)),
  dashboards: () => writeAll('ops/dashboards', dashboardFiles()),
  manifests: () => writeAll('k8s/base/generated', manifestFiles()),
  'scaling-plot': () =>
    writeFile(join(ROOT, 'docs/img/workers-wanted.svg'), plotDay(simulateDay())),
}

async function writeAll(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, text] of files) await writeFile(join(ROOT, folder, name), text)
}

const [name = '', folder] = process.argv.slice(2)
const generate = GENERATORS[name]
if (generate === undefined) {
  throw new Error(`unknown generator ${name}; use one of ${Object.keys(GENERATORS).join(', ')}`)
}
await generate(folder)
