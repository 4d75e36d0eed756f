import base from '../../jest.config.js'

/** The tests of the pure core alone: no process, no Redis. */
export default {
  ...base,
  rootDir: process.cwd(),
  modulePathIgnorePatterns: [],
  setupFiles: ['<rootDir>/dev/mutation/setup.cjs'],
  testMatch: [
    '<rootDir>/services/worker/test/{classify,retry,budget,learn}/*.test.ts',
    '<rootDir>/shared/test/{gate,queue,config}/*.test.ts',
  ],
  testPathIgnorePatterns: ['\\.int\\.test\\.ts$'],
}
