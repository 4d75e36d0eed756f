import { writeFileSync } from 'node:fs'
import { errorsPage } from './errors.js'

// Writes docs/reference/errors.md anew, from the catalogue that the OpenAPI document is made of, too.
writeFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), errorsPage())
