import { join } from 'node:path'
import { writePage } from '../../docs/write-page.js'
import { ROOT } from '../../folders.js'
import { metricCatalogue } from './catalogue.js'
import { metricsDocument } from './document.js'

// npm run docs:metrics: writes docs/reference/metrics.md.
await writePage(join(ROOT, 'docs/reference/metrics.md'), metricsDocument(metricCatalogue()))
