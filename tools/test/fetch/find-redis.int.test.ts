import { chmod, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '../../src/folders.js'
import { runCommand } from '../../src/process/command.js'
import { findRedisServer, NoRedisServer } from '../../src/fetch/redis.js'

async function folderWith(program: string): Promise<string> {
  const folder = await temporaryFolder('path')
  const file = join(folder, program)
  await writeFile(file, '#!/bin/sh\necho it runs\n')
  await chmod(file, 0o755)
  return folder
}

describe('finding a Redis server', () => {
  it.each(['redis-server', 'valkey-server'])('takes %s from PATH', async (program) => {
    const folder = await folderWith(program)
    const found = await findRedisServer({ path: `/nowhere:${folder}`, cacheDir: folder })
    expect(found).toEqual({ path: join(folder, program), env: {} })
  })

  it('gives one that runs, also when PATH has none', async () => {
    const { path, env } = await findRedisServer()
    const version = await runCommand(path, ['--version'], { env: { ...process.env, ...env } })
    expect(version.code).toBe(0)
    expect(version.stdout).toMatch(/server/i)
  })

  it('names the remedy for apt, brew and Docker when there is none and none can be fetched', async () => {
    const cacheDir = await temporaryFolder('empty')
    const failure = await findRedisServer({ path: '', cacheDir }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NoRedisServer)
    const { message } = failure as NoRedisServer
    for (const remedy of [/apt-get install/, /brew install redis/, /docker run/, /REDIS_URL=/]) {
      expect(message).toMatch(remedy)
    }
    expect(await readdir(cacheDir)).toEqual([])
  })
})
