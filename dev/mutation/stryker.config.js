import { readFileSync } from 'node:fs'

const { core } = JSON.parse(readFileSync(new URL('core.json', import.meta.url), 'utf8'))

export default {
  mutate: core,
  testRunner: 'relay',
  plugins: ['./dev/dist/mutation/runner/runner.js'],
  // Imports of @relay/shared mean its source.
  testRunnerNodeArgs: ['--conditions=@relay/source'],
  tsconfigFile: 'swc-compiles-the-tests',
  coverageAnalysis: 'perTest',
  ignorePatterns: ['/.relay', '/.tsbuild', '**/dist', '/docs', '/k8s'],
  tempDirName: '.relay/mutation/sandbox',
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: '.relay/mutation/report.json' },
  concurrency: 2,
  // For what hangs without a step; what runs for ever the runner ends by itself, counting steps.
  timeoutMS: 60_000,
  disableTypeChecks: false,
}
