import { ask } from './api.js'
import { duration, make, moment, number, setText, table } from './dom.js'

const HEAD = ['Workspace', 'Lane', 'Partition', 'Elements', 'Chunks', 'Bytes', 'Oldest', 'Owner']

/** The queues: partitions that contain elements. Read-only. */
export class PartitionsView {
  #summary = make('p', { role: 'status' })
  #table = make('div')
  #shown = ''

  show(main) {
    const words =
      'Partitions that contain elements. A chunk contains elements of one or more posts. The owner is the worker that sends the partition.'
    main.replaceChildren(
      make('h2', {}, 'Queues'),
      make('p', { class: 'caption' }, words),
      this.#summary,
      this.#table,
    )
  }

  async update() {
    const { partitions, total } = await ask('GET', '/admin/partitions')
    setText(this.#summary, summaryOf(partitions, total))
    const rows = partitions.map(partitionRow)
    // Replaced only if it changed, to keep focus and reading position.
    const shown = JSON.stringify(rows)
    if (shown === this.#shown) return
    this.#shown = shown
    const old = this.#table.firstElementChild
    const made = table('Partitions', HEAD, rows)
    if (old && made) old.replaceChildren(...made.children)
    else this.#table.replaceChildren(...(made ? [made] : []))
  }
}

function summaryOf(partitions, total) {
  if (total === 0) return 'No partition contains elements.'
  const unserved = partitions.filter(({ owner }) => owner === null).length
  const which = total > partitions.length ? `the ${number(partitions.length)} fullest of ` : ''
  const words = `${which}${number(total)} ${total === 1 ? 'partition' : 'partitions'}, ${number(unserved)} without an owner.`
  return words[0].toUpperCase() + words.slice(1)
}

function partitionRow(one) {
  return [
    one.app_id,
    one.lane,
    // The generation grows whenever the number of partitions changes.
    one.generation === 0 ? `${one.partition}` : `${one.partition}, generation ${one.generation}`,
    number(one.elements.total),
    number(one.chunks),
    number(one.bytes),
    one.oldest_age_seconds === null ? 'unknown' : duration(one.oldest_age_seconds),
    one.owner ?? 'none',
  ]
}

const ACTIONS = 200

/** What operators changed, newest first. */
export class AuditView {
  async show(main) {
    const { actions } = await ask('GET', `/admin/audit?limit=${ACTIONS}`)
    const words =
      actions.length === 0
        ? 'No action is recorded.'
        : `The newest ${number(actions.length)}, of at most 10,000 that are kept. "By" is a digest of the token.`
    const made = table('Actions', ['At', 'Action', 'By', 'From', 'What'], actions.map(actionRow))
    main.replaceChildren(
      make('h2', {}, 'Audit'),
      make('p', { class: 'caption' }, words),
      ...(made ? [made] : []),
    )
  }
}

function actionRow({ at, action, who, from, ...what }) {
  const facts = Object.entries(what).filter(([, value]) => value !== null)
  const text = facts.map(([name, value]) => `${name}=${value}`).join(' ')
  return [moment(at), action, who, from, text]
}
