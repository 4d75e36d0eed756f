import { count, printable, table } from './table.js'

/** `GET /admin/workspaces/{app_id}/names`. */
export interface NamesView {
  readonly app_id: string
  readonly bounds: readonly {
    readonly of: string
    readonly event?: string
    readonly known: number
    readonly limit: number
    readonly portfolio_limit?: number
  }[]
  readonly names: readonly {
    readonly kind: string
    readonly event?: string
    readonly name: string
    readonly types: readonly string[]
    readonly since: string
    readonly producer: string
    readonly doubt: string | null
  }[]
}

/** Names that a workspace was sent, doubtful ones first, and how near they are to MoEngage's bounds. */
export function namesLines({ app_id, bounds, names }: NamesView, all: boolean): string[] {
  if (names.length === 0)
    return [`No names of ${app_id} are known. Apis report them within 10 s of a post.`]
  const doubtful = names.filter(({ doubt }) => doubt !== null)
  const shown = all ? names : doubtful
  const rows = shown.map(({ kind, event, name, types, since, producer, doubt }) => [
    kind,
    printable(event === undefined ? name : `${event} / ${name}`),
    types.join(', '),
    since,
    producer,
    printable(doubt ?? ''),
  ])
  return [
    ...table(['KNOWN', 'OF', 'NAMES'], bounds.map(boundRow), [0, 1]),
    '',
    doubtful.length === 0
      ? `${count(names.length)} names, none of them doubtful.`
      : `${count(names.length)} names, ${count(doubtful.length)} of them doubtful.`,
    ...(rows.length === 0
      ? []
      : ['', ...table(['KIND', 'NAME', 'TYPES', 'SINCE', 'PRODUCER', 'DOUBT'], rows)]),
  ]
}

function boundRow({ of, event, known, limit, portfolio_limit }: NamesView['bounds'][number]) {
  const portfolio = portfolio_limit === undefined ? '' : ` (${count(portfolio_limit)} in a Portfolio)` // prettier-ignore
  const which = event === undefined || event === '' ? '' : `: ${printable(event)}`
  return [count(known), count(limit), `${of}${which}${portfolio}`]
}
