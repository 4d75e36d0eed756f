import { SETTINGS } from '@relay/shared/config/settings.js'
import { table, type Row } from './page.js'

/** The generated table stands between these lines of docs/reference/configuration.md. */
const BEGIN = '<!-- settings: begin -->'
const END = '<!-- settings: end -->'

const ENV_HEAD = `# Every setting of relay, with its default. Made by: npm run docs:settings
# relay reads the environment alone, never this file. To use a copy of it in a shell:
#   cp .env.example .env && $EDITOR .env && set -a && . ./.env && set +a && npm start
# docker compose reads .env for the few variables that docker-compose.yml names.
`

/** `docs/reference/configuration.md` with its table as the settings are now. Throws when it has no place for one. */
export function withSettings(document: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`no lines ${BEGIN} and ${END}`)
  return `${document.slice(0, begin)}${BEGIN}\n\n${settingsTable()}\n\n${document.slice(end)}`
}

/** `.env.example`: every setting, commented out, with what it takes. */
export function envExample(): string {
  const entries = Object.entries(SETTINGS).map(([name, { fallback, accepted, meaning }]) =>
    [`# ${meaning}`, `# Accepted: ${accepted}.`, `#${name}=${fallback ?? ''}`, ''].join('\n'),
  )
  return [ENV_HEAD, ...entries].join('\n')
}

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, { fallback, accepted, meaning }]): Row => {
    return [`\`${name}\``, fallback === null ? '–' : `\`${fallback}\``, accepted, meaning]
  })
  return table([['variable', 'default', 'accepted', 'meaning'], ...rows])
}
