import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/dev/folders.js'
import { format, resolveConfig } from 'prettier'
import { metricCatalogue } from './catalogue.js'
import { metricsDocument } from './document.js'

// npm run docs:metrics: writes docs/metrics.md.
const file = join(ROOT, 'docs/metrics.md')
const options = { ...(await resolveConfig(file)), parser: 'markdown' }
await writeFile(file, await format(metricsDocument(metricCatalogue()), options))
