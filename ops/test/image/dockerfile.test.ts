import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '@relay/dev/folders.js'
import { validate } from 'dockerfile-utils'

const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')

test('nothing is wrong with the Dockerfile', () => {
  expect(validate(DOCKERFILE)).toEqual([])
})

test('every image runs as a user without rights, and says how to see that it is well', () => {
  expect(DOCKERFILE).toMatch(/AS runtime[\s\S]*\nUSER node\n/)
  for (const service of ['api', 'worker', 'simulator']) {
    const stage = DOCKERFILE.split(/^FROM /m).find((text) => text.includes(`AS ${service}\n`))
    expect(stage).toContain('HEALTHCHECK')
    expect(stage).not.toContain('USER')
  }
})
