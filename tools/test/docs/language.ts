/** Phrases that relay's prose avoids, each with the plain form to use instead. */
const DENIED: readonly (readonly [RegExp, string])[] = [
  [/\bof (?:its|their|his|our|your) own\b/i, 'its own, separate, dedicated'],
  [/\bwhat (?:waits|came|comes|is free|was sent|was accepted)\b/i, 'name the thing: backlog, …'],
  [/\bunder way\b/i, 'in flight, in progress'],
  [/\bgo(?:es)? on\b/i, 'continue, resume'],
  [/\bin place of\b/i, 'instead of, replaces'],
  [/\banew\b/i, 'again'],
  [/\bfor good\b|\bfor ever\b/i, 'permanently'],
  // Not as data: 'nobody' is a user name in tests.
  [/(?<!['"/])\b(?:[Ww]hoever|[Ww]hatever|[Nn]obody)\b(?!['"-])/, 'name the actor'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\bcomes? about\b/i, 'is established'],
  [/\bat hand\b/i, 'available'],
  [/\bheed(?:s|ed)?\b/i, 'honour'],
  [/\bon wish\b/i, 'on request'],
  [/\bso (?:many|much|long) as\b/i, 'up to N'],
  [/\b(?:MOST|LEAST|LONGEST)_|_MOST\b/, 'MAX_, MIN_'],
]

export interface Finding {
  readonly line: number
  readonly phrase: string
  readonly instead: string
}

/** The denied phrases in the prose of a file; in code only comments and string literals are prose. */
export function deniedPhrases(text: string, isMarkdown: boolean): readonly Finding[] {
  const prose = isMarkdown ? text.replaceAll(/^```[^]*?^```/gm, blank) : text
  return prose.split('\n').flatMap((whole, i) => {
    const content = isMarkdown ? whole : proseOf(whole)
    return DENIED.flatMap(([pattern, instead]) => {
      const phrase = pattern.exec(content)?.[0]
      return phrase === undefined ? [] : [{ line: i + 1, phrase, instead }]
    })
  })
}

/** Comments and string literals of one line of code, and names of constants that begin it. */
function proseOf(line: string): string {
  const parts = line.match(
    /\/\/.*|\/?\*.*|--.*|'[^']*'|"[^"]*"|`[^`]*`|^(?:export )?const [A-Z_]+/g,
  )
  return (parts ?? []).join(' ')
}

/** Keeps the number of lines. */
const blank = (text: string): string => text.replaceAll(/[^\n]/g, '')
