import { writeFileSync } from 'node:fs'
import { errorsPage } from './errors.js'

// Writes docs/reference/errors.md from the catalogue that the OpenAPI document also uses.
writeFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), errorsPage())
