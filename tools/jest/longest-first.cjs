// The order of the slow step. A fresh clone has no times of an earlier run, and Jest begins with the
// largest files then; the longest are small ones, and begun last, each is waited for alone.

/** Two minutes and one and a half; the second begins beside one that mostly waits. */
const LONGEST = ['bench.slow.ts', 'budgets.slow.ts', 'image.slow.ts']

/** Jest's `testSequencer`. */
module.exports = class LongestFirst {
  sort(tests) {
    const place = ({ path }) => {
      const at = LONGEST.findIndex((name) => path.endsWith(`/${name}`))
      return at === -1 ? LONGEST.length : at
    }
    return [...tests].sort((a, b) => place(a) - place(b))
  }

  cacheResults() {}
}
