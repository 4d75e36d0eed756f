interface Parameters {
  readonly numRuns?: number
}
type Assert = (property: unknown, parameters?: Parameters) => unknown
interface FastCheck {
  readonly assert: Assert
}

/**
 * How many cases a property gets at most. There are thousands of mutants to run it for; but a test
 * that counts what it has seen needs more than others.
 */
export const MOST_CASES = [40, 300, Infinity] as const
/** The same cases in every run, so that a score can be had again. */
const SEED = 20_250_601

/**
 * fast-check with at most so many cases, the same ones each time, that stops at the first that
 * fails: which is the smallest does not matter here.
 */
export function fewerCases(most: () => number): (real: unknown) => unknown {
  return (real) => {
    const module = real as FastCheck & { readonly default: FastCheck }
    const assert: Assert = (property, { numRuns = 100, ...parameters } = {}) =>
      module.default.assert(property, {
        seed: SEED,
        ...parameters,
        numRuns: Math.min(numRuns, most()),
        endOnFailure: true,
      } as Parameters)
    return { ...module, assert, default: { ...module.default, assert }, __esModule: true }
  }
}
