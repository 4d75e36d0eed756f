import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'
import { validate } from 'dockerfile-utils'

const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')

test('nothing is wrong with the Dockerfile', () => expect(validate(DOCKERFILE)).toEqual([]))

test('a release can name its base image by digest, for every stage that begins from it', () => {
  const bases = [...DOCKERFILE.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, base]) => base ?? '')
  const stages = new Set([...DOCKERFILE.matchAll(/ AS (\S+)$/gm)].map(([, name]) => name ?? ''))
  expect(new Set(bases.filter((base) => !stages.has(base)))).toEqual(new Set(['${NODE_IMAGE}']))
  expect(DOCKERFILE).toMatch(/^ARG NODE_IMAGE=\S+$/m)
})

test('every image runs as a user without rights, and says how to see that it is well', () => {
  expect(DOCKERFILE).toMatch(/AS runtime[\s\S]*\nUSER node\n/)
  for (const service of ['api', 'worker', 'simulator']) {
    const stage = DOCKERFILE.split(/^FROM /m).find((text) => text.includes(`AS ${service}\n`))
    expect(stage).toContain('HEALTHCHECK')
    expect(stage).not.toContain('USER')
  }
})

test('images are labelled, and a build can be given a registry and an authority as secrets', () => {
  expect(DOCKERFILE).toMatch(/^LABEL org\.opencontainers\.image\./m)
  const installs = DOCKERFILE.split(/^RUN /m).filter((step) => /\bnpm ci\b/.test(step))
  expect(installs.length).toBeGreaterThan(1)
  for (const step of installs) {
    expect(step).toContain('--mount=type=secret,id=npmrc')
    expect(step).toContain('--mount=type=secret,id=ca')
  }
})
