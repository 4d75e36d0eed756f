import { make } from './dom.js'

/** A table, or null without rows. On a narrow screen it scrolls separately, also by keyboard. */
export function table(label, head, rows) {
  if (rows.length === 0) return null
  const header = make('tr', {}, ...head.map((title) => make('th', { scope: 'col' }, title)))
  const lines = rows.map((row) => make('tr', {}, ...row.map((cell) => make('td', {}, cell))))
  return make(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' },
    make('table', {}, make('thead', {}, header), make('tbody', {}, ...lines)),
  )
}

/** Facts as pairs of a name and a value. */
export function facts(pairs) {
  return make(
    'dl',
    { class: 'facts' },
    ...pairs.map(([name, value]) =>
      make('div', {}, make('dt', {}, name), make('dd', {}, String(value))),
    ),
  )
}
