/** A Redis server program that can be run here. */
export interface RedisServerProgram {
  readonly path: string
  /** To be added to the environment it runs in. */
  readonly env: Readonly<Record<string, string>>
}
