/** `npm run test:image`: installs twice from the registry, so it is a step of its own. */
const IMAGE = process.env.RELAY_TEST_IMAGE === 'yes'

/** @type {import('jest').Config} */
export default {
  testMatch: IMAGE
    ? ['<rootDir>/ops/test/image/*.slow.ts']
    : ['<rootDir>/{shared,services/*,cli,dev,bench,faults,ops,acceptance}/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // What tests build there has manifests of the same names.
  modulePathIgnorePatterns: ['<rootDir>/.relay/'],
  // Integration tests start processes, on machines that may be busy.
  testTimeout: 60_000,
  testEnvironmentOptions: { customExportConditions: ['@relay/source', 'node', 'node-addons'] },
}
