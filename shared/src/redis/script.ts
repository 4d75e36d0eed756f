import { readFileSync } from 'node:fs'
import type { RedisClient } from './connect.js'

export type ScriptArgument = string | number | Buffer

/** A Lua script of relay: one slot, documented in its own file under `shared/lua`. */
export interface Script {
  readonly name: string
  readonly text: string
  readonly keys: number
}

/** Text of `shared/lua/<file>`; works from `src/` and from `dist/`. */
export function luaText(file: string): string {
  return readFileSync(new URL(`../../lua/${file}`, import.meta.url), 'utf8')
}

/** The script `name`; `text`: where it is not just `shared/lua/<name>.lua`. */
export function script(name: string, keys: number, text = luaText(`${name}.lua`)): Script {
  return { name, text, keys }
}

/** Reply of a script: RESP without maps, strings as bytes. */
export type Reply = Buffer | number | null | Reply[]

type Runner = (...args: ScriptArgument[]) => Promise<Reply>

/**
 * Runs `script` with `keys`, then `args`. Sends its digest, and its text when the server has not cached
 * it. Returns bytes, not text.
 */
export function runScript(
  client: RedisClient,
  script: Script,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<Reply> {
  const command = `relay:${script.name}`
  const commands = client as unknown as Record<string, Runner | undefined>
  if (commands[command] === undefined) {
    client.defineCommand(command, { lua: script.text, numberOfKeys: script.keys })
  }
  const run = commands[`${command}Buffer`]
  if (run === undefined) throw new Error(`script ${script.name} could not be defined`)
  return run.call(client, ...keys, ...args)
}

/** Runs a script that promises a list of texts. */
export async function runTexts(...call: Parameters<typeof runScript>): Promise<string[]> {
  return replyTexts(await runScript(...call))
}

export function replyTexts(reply: Reply | undefined): string[] {
  return replyList(reply).map(replyText)
}

/** A reply that the script promises to be text. */
export function replyText(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return typeof reply === 'number' ? String(reply) : ''
}

/** Member → score of what Redis answers `WITHSCORES`, in its order. */
export function scoresOf(flat: readonly string[]): Map<string, number> {
  const scores = new Map<string, number>()
  for (let i = 0; i + 1 < flat.length; i += 2) scores.set(flat[i] ?? '', Number(flat[i + 1]))
  return scores
}

/** A reply that the script promises to be a list. */
export function replyList(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : []
}
