import { ask } from './api.js'
import { make, moment, number } from './dom.js'
import { table } from './table.js'

const LIMIT = 200

/** What operators changed, newest first. */
export class AuditView {
  async show(main) {
    const { actions } = await ask('GET', `/admin/audit?limit=${LIMIT}`)
    const words =
      actions.length === 0
        ? 'No action is recorded.'
        : `The newest ${number(actions.length)}, of at most 10,000 that are kept. "By" is a digest of the token.`
    const made = table('Actions', ['At', 'Action', 'By', 'From', 'What'], actions.map(rowOf))
    main.replaceChildren(
      make('h2', {}, 'Audit'),
      make('p', { class: 'caption' }, words),
      ...(made ? [made] : []),
    )
  }
}

function rowOf({ at, action, who, from, ...what }) {
  const facts = Object.entries(what).filter(([, value]) => value !== null)
  const text = facts.map(([name, value]) => `${name}=${value}`).join(' ')
  return [moment(at), action, who, from, text]
}
