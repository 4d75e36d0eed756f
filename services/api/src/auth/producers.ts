import { hash, timingSafeEqual } from 'node:crypto'

/** Who may post: producer name → its valid secrets, several while one is being rotated. */
export type ProducerSecrets = ReadonlyMap<string, readonly string[]>

/**
 * Finds the producer of a secret in a time that tells nothing: every secret is compared, each as a
 * digest of equal length, and none ends the search.
 */
export class Producers {
  readonly #digests: readonly { readonly name: string; readonly digest: Buffer }[]

  constructor(producers: ProducerSecrets) {
    this.#digests = [...producers].flatMap(([name, secrets]) =>
      secrets.map((secret) => ({ name, digest: sha256(secret) })),
    )
  }

  nameOf(secret: string): string | null {
    const asked = sha256(secret)
    let found: string | null = null
    for (const { name, digest } of this.#digests) {
      if (timingSafeEqual(digest, asked)) found ??= name
    }
    return found
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
