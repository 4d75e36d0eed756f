/** `npm run test:slow` runs tests that take long or install from the registry. */
const SLOW = process.env.RELAY_TEST_SLOW === 'yes'
const FOLDERS = '{{shared,services/*,cli,bench,tools}/test,test}'

/** @type {import('jest').Config} */
export default {
  testMatch: [`<rootDir>/${FOLDERS}/**/*.${SLOW ? 'slow' : 'test'}.ts`],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  ...(SLOW && { testSequencer: './tools/jest/longest-first.cjs' }),
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // What tests build there has manifests of the same names.
  modulePathIgnorePatterns: ['<rootDir>/.relay/'],
  // Integration tests start processes, on machines that may be busy.
  testTimeout: 60_000,
  testEnvironmentOptions: { customExportConditions: ['@relay/source', 'node', 'node-addons'] },
}
