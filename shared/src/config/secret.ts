import { hash, timingSafeEqual } from 'node:crypto'

/** Shorter secrets can be tried out, characters. */
const SHORT_SECRET = 16

/** A secret as it is kept: never the text itself. */
interface Kept {
  readonly salt: string
  /** SHA-256 of salt and secret. */
  readonly digest: Buffer
}

export const HASHED_ACCEPTED =
  'sha256$salt$hex with 64 hex digits, as `relay hash-secret` prints it'

const HASHED = /^sha256\$([^$]{1,64})\$([0-9a-f]{64})$/i

/**
 * Whether a configured secret has a hash's prefix but is not a valid hash. It is refused and not used as
 * a plain secret, because anyone who reads the configuration would then have the secret.
 */
export function isBrokenHash(configured: string): boolean {
  return configured.startsWith('sha256$') && !HASHED.test(configured)
}

export function isHashed(configured: string): boolean {
  return HASHED.test(configured)
}

/**
 * Hashes a secret for the configuration. One round of SHA-256 is enough for secrets of 128 random bits
 * and more, which cannot be brute-forced. A slow hash would cost CPU on every post and let callers with
 * wrong secrets consume CPU.
 */
export function hashSecret(secret: string, salt: string): string {
  return `sha256$${salt}$${digestOf(salt, secret).toString('hex')}`
}

/** Secrets by the name of their holder; a name may have several while one is being rotated out. */
export class Keyring {
  readonly names: readonly string[]
  /** Holders of a secret that can be guessed. The length of a hashed one is unknown. */
  readonly weak: readonly string[]
  readonly #keys: readonly { readonly name: string; readonly kept: Kept }[]
  /** Owners of secrets that were found, by their digests: at most one for each of `#keys`. */
  readonly #found = new Map<string, string>()

  constructor(secrets: ReadonlyMap<string, readonly string[]>) {
    this.names = [...secrets.keys()]
    const isShort = (secret: string) => !isHashed(secret) && secret.length < SHORT_SECRET
    this.weak = [...secrets].filter(([, own]) => own.some(isShort)).map(([name]) => name)
    this.#keys = [...secrets].flatMap(([name, own]) =>
      own.map((configured) => ({ name, kept: kept(configured) })),
    )
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0
  }

  /** Pairs of holders, one here and one of `other`, that have the same secret or the same hash. */
  sharedWith(other: Keyring): (readonly [string, string])[] {
    return this.#keys.flatMap(({ name, kept: own }) =>
      other.#keys
        .filter(({ kept: { salt, digest } }) => salt === own.salt && digest.equals(own.digest))
        .map((theirs) => [name, theirs.name] as const),
    )
  }

  /**
   * Name of the secret's owner. A secret that is not remembered is compared in constant time: digests of
   * equal length, and always all of them. With a salt for each of 100 producers that takes 500 µs.
   */
  nameOf(secret: string): string | null {
    // Looked up by its digest, of which a caller cannot choose the beginning.
    const digest = hash('sha256', secret, 'base64')
    const known = this.#found.get(digest)
    if (known !== undefined) return known
    const name = this.#compare(secret)
    if (name !== null) this.#found.set(digest, name)
    return name
  }

  #compare(secret: string): string | null {
    const asked = new Map<string, Buffer>()
    let found: string | null = null
    for (const { name, kept: own } of this.#keys) {
      let digest = asked.get(own.salt)
      if (digest === undefined) asked.set(own.salt, (digest = digestOf(own.salt, secret)))
      if (timingSafeEqual(own.digest, digest)) found ??= name
    }
    return found
  }
}

function kept(configured: string): Kept {
  const [, salt, hex] = HASHED.exec(configured) ?? []
  if (salt === undefined || hex === undefined) return { salt: '', digest: digestOf('', configured) }
  return { salt, digest: Buffer.from(hex, 'hex') }
}

function digestOf(salt: string, secret: string): Buffer {
  return hash('sha256', salt + secret, 'buffer')
}
