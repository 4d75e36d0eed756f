import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { dependenciesPage } from './page.js'

/** Writes docs/dependencies.md anew from the lockfile. */
await writeFile(join(ROOT, 'docs', 'dependencies.md'), await dependenciesPage())
