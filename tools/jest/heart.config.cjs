/**
 * `npm run test:heart`: the classes on whose branches loss, order and budgets depend, each driven by tests of
 * its own with fakes and a hand-wound clock. Fails where a crash, a slow answer, a lost lease, a late reply or a
 * changed configuration takes a branch that no test takes.
 */
const CLASSES = [
  'budget/admission',
  'budget/reservations',
  'budget/workspace-gate',
  'flight',
  'ownership/ownership',
  'ownership/session',
  'pipeline',
  'settle/settler',
  'workspace-service',
]
const files = (folder, end) => CLASSES.map((name) => `services/worker/${folder}/${name}${end}`)

/** @type {import('jest').Config} */
module.exports = (async () => {
  const { default: base } = await import('../../jest.config.js')
  return {
    ...base,
    rootDir: '../..',
    testMatch: files('test', '.test.ts').map((path) => `<rootDir>/${path}`),
    collectCoverage: true,
    collectCoverageFrom: files('src', '.ts'),
    coverageDirectory: '.relay/test/heart',
    coverageReporters: ['text'],
    coverageThreshold: Object.fromEntries(
      files('src', '.ts').map((path) => [path, { branches: 95 }]),
    ),
  }
})()
