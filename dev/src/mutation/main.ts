import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { mutationDocument, type Report } from './document.js'

/** Writes docs/mutation.md anew from what `npm run mutation` found. */
const text = await readFile(join(ROOT, '.relay', 'mutation', 'report.json'), 'utf8')
await writeFile(join(ROOT, 'docs', 'mutation.md'), mutationDocument(JSON.parse(text) as Report))
