import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where fontconfig is told about fonts, on a system that has any. */
const SYSTEM = '/etc/fonts/fonts.conf'

/**
 * Lists the fonts that were unpacked below `root`, if the system has none: without fonts a browser
 * draws no text.
 */
export function withFonts(root: string): Record<string, string> {
  const folder = join(root, 'usr/share/fonts')
  if (existsSync(SYSTEM) || !existsSync(folder)) return {}
  const file = join(root, 'fonts.conf')
  const cache = join(root, 'fonts-cache')
  mkdirSync(cache, { recursive: true })
  writeFileSync(
    file,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n` +
      `<fontconfig><dir>${folder}</dir><cachedir>${cache}</cachedir></fontconfig>\n`,
  )
  return { FONTCONFIG_FILE: file }
}
