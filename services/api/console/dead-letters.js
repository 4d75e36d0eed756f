import { ask, askText } from './api.js'
import { confirmed, make, moment, notify, number } from './dom.js'

const REASONS = ['element_refused', 'undecodable', 'too_large', 'expired']
const SPANS = [
  ['', 'any time'],
  ['3600', 'last hour'],
  ['86400', 'last day'],
  ['604800', 'last week'],
]
const PAGE = 50

/** Dead letters: filter, read, replay, purge. */
export class DeadLettersView {
  #form
  #list = make('ul', { class: 'letters' })
  #summary = make('p', { class: 'caption', role: 'status' })
  #more = make('button', { type: 'button', class: 'quiet', hidden: true }, 'Show more')
  #cursor = null
  #wanted = {}

  async show(main, query) {
    const { workspaces } = await ask('GET', '/admin/workspaces')
    this.#form = this.#filterForm(
      workspaces.map(({ app_id }) => app_id),
      query,
    )
    this.#more.addEventListener('click', () => void this.#load())
    main.replaceChildren(
      make('h2', {}, 'Dead letters'),
      make(
        'p',
        { class: 'caption' },
        'Elements that MoEngage refuses permanently. All other elements are still delivered.',
      ),
      this.#form,
      this.#actions(),
      this.#summary,
      this.#list,
      this.#more,
    )
    await this.#search()
  }

  #filterForm(appIds, query) {
    const select = (name, label, options, chosen) =>
      make(
        'label',
        {},
        label,
        make(
          'select',
          { name },
          ...options.map(([value, text]) =>
            make('option', { value, selected: value === chosen }, text),
          ),
        ),
      )
    const form = make(
      'form',
      { class: 'filter', role: 'search', 'aria-label': 'Filter dead letters' },
      select(
        'app_id',
        'Workspace',
        [['', 'all'], ...appIds.map((id) => [id, id])],
        query.get('app_id') ?? '',
      ),
      select(
        'reason',
        'Reason',
        [['', 'any'], ...REASONS.map((r) => [r, r.replaceAll('_', ' ')])],
        '',
      ),
      select('since', 'Died', SPANS, ''),
      make('label', {}, 'Customer id', make('input', { name: 'customer_id', autocomplete: 'off' })),
      make('button', { type: 'submit' }, 'Search'),
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#search()
    })
    return form
  }

  #actions() {
    const button = (text, attributes, act) => {
      const element = make('button', { type: 'button', ...attributes }, text)
      element.addEventListener('click', () => void act())
      return element
    }
    return make(
      'div',
      { class: 'actions' },
      button('Replay selected', {}, () => this.#change('replay', this.#selected())),
      button('Purge selected', { class: 'danger' }, () => this.#change('purge', this.#selected())),
      button('Replay all found', { class: 'quiet' }, () => this.#change('replay', null)),
      button('Purge all found', { class: 'quiet' }, () => this.#change('purge', null)),
    )
  }

  #filter() {
    const fields = Object.fromEntries(
      [...new FormData(this.#form)].filter(([, value]) => value !== ''),
    )
    if (fields.since)
      fields.since = new Date(Date.now() - Number(fields.since) * 1000).toISOString()
    return fields
  }

  async #search() {
    this.#wanted = this.#filter()
    this.#cursor = null
    this.#list.replaceChildren()
    await this.#load()
  }

  async #load() {
    const query = new URLSearchParams({ ...this.#wanted, limit: PAGE })
    if (this.#cursor) query.set('cursor', this.#cursor)
    const page = await ask('GET', `/admin/dead-letters?${query}`)
    this.#list.append(...page.dead_letters.map((letter) => this.#item(letter)))
    this.#cursor = page.next_cursor
    this.#more.hidden = page.next_cursor === null
    const shown = this.#list.children.length
    const more = page.next_cursor === null ? '' : '; more are available'
    this.#summary.textContent = shown === 0 ? 'No dead letters.' : `${number(shown)} shown${more}.`
  }

  #item(letter) {
    const { id, kind, reason, answer, dead_at } = letter
    const body = make('div')
    const details = make(
      'details',
      {},
      make(
        'summary',
        {},
        make(
          'span',
          { class: 'caption' },
          `${moment(dead_at)} · ${letter.app_id} · ${kind} of ${letter.customer ?? 'an unknown customer'} · ${reason.replaceAll('_', ' ')}`,
        ),
        `${answer.status} ${answer.message || answer.type}`,
      ),
      body,
    )
    details.addEventListener('toggle', () => void this.#open(details, body, letter))
    const tick = make('input', { type: 'checkbox', value: id, 'aria-label': `Select ${id}` })
    return make('li', {}, make('label', { class: 'tick' }, tick), details)
  }

  /** The element is read as text, so that no number in it is changed by the browser. */
  async #open(details, body, letter) {
    if (!details.open || body.hasChildNodes()) return
    const text = await askText('GET', `/admin/dead-letters/${encodeURIComponent(letter.id)}`)
    const mark = ',"element":'
    const element = text.slice(text.indexOf(mark) + mark.length, -1)
    const facts = [
      ['Attribute', letter.answer.attribute ?? '–'],
      ['Requests that carried it', letter.attempts],
      ['Accepted', moment(letter.accepted_at)],
      ['Lane', letter.lane],
      ['Id', letter.id],
    ]
    const list = make(
      'dl',
      { class: 'facts plain' },
      ...facts.map(([name, value]) =>
        make('div', {}, make('dt', {}, name), make('dd', {}, String(value))),
      ),
    )
    const trace = make(
      'a',
      { href: `#/trace/${letter.request_id}` },
      `Trace request ${letter.request_id}`,
    )
    body.replaceChildren(
      list,
      make('pre', { tabindex: '0', 'aria-label': 'Element' }, element),
      trace,
    )
  }

  #selected() {
    return [...this.#list.querySelectorAll('input:checked')].map((tick) => tick.value)
  }

  async #change(what, ids) {
    if (ids !== null && ids.length === 0) {
      notify('Select letters first.')
      return
    }
    const wanted = Object.keys(this.#wanted).length > 0 ? this.#wanted : null
    if (ids === null && wanted === null) {
      notify('Choose a workspace or another filter first, and search.')
      return
    }
    const isPurge = what === 'purge'
    const count =
      ids === null
        ? 'all matching letters'
        : `${number(ids.length)} ${ids.length === 1 ? 'letter' : 'letters'}`
    const isYes = await confirmed({
      title: `${isPurge ? 'Purge' : 'Replay'} ${count}?`,
      text: isPurge
        ? 'They are deleted permanently. This cannot be undone.'
        : "They go back into their queues, each customer's in the order they died. Letters that MoEngage refuses again return here.",
      yes: isPurge ? 'Purge' : 'Replay',
      isDanger: isPurge,
    })
    if (!isYes) return
    const [method, path] = isPurge
      ? ['DELETE', '/admin/dead-letters']
      : ['POST', '/admin/dead-letters/replay']
    const done = await ask(method, path, ids === null ? wanted : { ids })
    notify(
      `${number(done.count)} dead ${done.count === 1 ? 'letter' : 'letters'} ${isPurge ? 'purged' : 'put back into their queues'}.`,
    )
    await this.#search()
  }
}
