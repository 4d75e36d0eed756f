import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { vendorPage } from './vendor-page.js'
import { factSubjects, openApiSubjects, type VendorDocument } from './vendor-subjects.js'
import { writePage } from './write-page.js'

// npm run docs:vendor -- FOLDER: writes docs/reference/vendor-coverage.md from the vendor's OpenAPI document
// and the facts about it; fails when a line of them has no ruling.
const folder = process.argv[2] ?? join(ROOT, '..', 'shared', 'moengage')
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const document = JSON.parse(read('data-api.openapi.json')) as VendorDocument
const subjects = [...openApiSubjects(document), ...factSubjects(read('facts.md'))]
await writePage(join(ROOT, 'docs/reference/vendor-coverage.md'), vendorPage(subjects))
