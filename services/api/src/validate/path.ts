/** Maximum length of an attribute path in an answer, characters. */
export const PATH_CHARACTERS = 300

/** Path of a member. Bounded, because names are the caller's and a path is built for each level. */
export function inside(path: string, name: string): string {
  if (path.length > PATH_CHARACTERS) return path
  const short = name.length > PATH_CHARACTERS ? name.slice(0, PATH_CHARACTERS) : name
  return path === '' ? short : `${path}.${short}`
}
