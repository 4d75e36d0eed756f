/** A place in a file that looks like a secret. */
export interface Suspicion {
  readonly line: number
  readonly what: string
}

/** By what gives them away. Words of the shape that the services of their names use, at this date: 2026-11. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\\?n?[A-Za-z0-9+/]{32}/],
  ['a key of AWS', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a token of GitHub', /\bgh[pousr]_[A-Za-z0-9]{36}/],
  ['a token of npm', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a token of Slack', /\bxox[abprs]-[A-Za-z0-9-]{10,}/],
  ['a key of Google', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
]

/** A name that says secret, given a value of random letters. */
const ASSIGNED =
  /(?:api_?key|secret|token|passw(?:or)?d|credentials?)["']?\s*[:=]\s*["']?([A-Za-z0-9+/_-]{20,})["']?/gi
/** Bits a letter above which a text of 20 letters and more is hardly words. */
const RANDOM_BITS = 3.9

/** Text that looks like a forgotten secret. */
export function suspicions(text: string): Suspicion[] {
  return text.split('\n').flatMap((content, i) => {
    const line = i + 1
    const shaped = SHAPES.filter(([, shape]) => shape.test(content)).map(([what]) => ({
      line,
      what,
    }))
    const assigned = [...content.matchAll(ASSIGNED)]
      .filter(([, value = '']) => isRandom(value))
      .map(() => ({ line, what: 'a secret assigned' }))
    return [...shaped, ...assigned]
  })
}

/** Digits and both cases, and no letter oftener than chance would have it. */
function isRandom(value: string): boolean {
  const isMixed = /\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value)
  return isMixed && bitsPerLetter(value) > RANDOM_BITS
}

function bitsPerLetter(text: string): number {
  const counts = new Map<string, number>()
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  return [...counts.values()].reduce((bits, count) => {
    const share = count / text.length
    return bits - share * Math.log2(share)
  }, 0)
}
