import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { envExample, withSettings } from './settings.js'

/** Writes docs/reference/configuration.md and .env.example from the settings that relay knows. */
const file = join(ROOT, 'docs/reference/configuration.md')
await writeFile(file, withSettings(await readFile(file, 'utf8')))
await writeFile(join(ROOT, '.env.example'), envExample())
