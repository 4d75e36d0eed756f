import { rm, writeFile } from 'node:fs/promises'
import type { Plan } from './plan.js'

const SETTING = /^(MOENGAGE_|RELAY_|REDIS_URL$|PORT$|OPS_PORT$)/

/**
 * Keeps the api's settings for `relay check` while npm start runs with its simulator. A real
 * workspace has a real key, which belongs in no file of ours.
 */
export async function writeRunning(file: string, { simulator, apiEnv }: Plan): Promise<void> {
  await rm(file, { force: true })
  if (simulator === null) return
  const settings = Object.entries(apiEnv).filter(([name]) => SETTING.test(name))
  await writeFile(file, `${JSON.stringify(Object.fromEntries(settings), null, 2)}\n`, {
    mode: 0o600,
  })
}
