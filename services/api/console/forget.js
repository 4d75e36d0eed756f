import { ask } from './api.js'
import { confirmed, counted, make, setText } from './dom.js'

/** Erases a customer and shows the progress; the erasure's id is in the address. */
export class ForgetView {
  #id
  #result = make('p', { role: 'status' })
  #isEnded = false

  constructor(id) {
    this.#id = id
  }

  async show(main) {
    const { workspaces } = await ask('GET', '/admin/workspaces')
    const input = (name, attributes = {}) =>
      make('input', { name, autocomplete: 'off', spellcheck: 'false', ...attributes })
    const form = make(
      'form',
      { class: 'filter' },
      make(
        'label',
        {},
        'Workspace',
        make(
          'select',
          { name: 'app_id' },
          ...workspaces.map(({ app_id }) => make('option', { value: app_id }, app_id)),
        ),
      ),
      make('label', {}, 'Customer id, as the elements name it', input('customer_id')),
      make('label', {}, 'Or identifiers: name=value, …', input('identifiers')),
      make('button', { type: 'submit', class: 'danger' }, 'Forget'),
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#forget(Object.fromEntries(new FormData(form)))
    })
    const words =
      'Permanently erases the data of one customer accepted so far from queues and dead letters. Afterwards, erase the customer at MoEngage.'
    main.replaceChildren(
      make('h2', {}, 'Forget a customer'),
      make('p', { class: 'caption' }, words),
      form,
      this.#result,
    )
  }

  /** Polls until the erasure is done. */
  async update() {
    if (this.#id === '' || this.#isEnded) return
    try {
      this.#say(await ask('GET', `/admin/forget/${encodeURIComponent(this.#id)}`))
    } catch (error) {
      if (error.status !== 404) throw error
      this.#isEnded = true
      setText(this.#result, error.message)
    }
  }

  async #forget({ app_id, customer_id: customerId, identifiers }) {
    this.#result.className = ''
    if ((customerId === '') === (identifiers === '')) {
      setText(this.#result, 'Enter a customer id or identifiers, as in the posted elements.')
      this.#result.className = 'fault'
      return
    }
    const named =
      customerId === ''
        ? { user_identifiers: identifiersOf(identifiers) }
        : { customer_id: customerId }
    const title = `Forget this customer of ${app_id}?`
    const text = `${customerId || identifiers}: the data is erased from queues and dead letters. This cannot be undone.`
    if (!(await confirmed({ title, text, yes: 'Forget', isDanger: true }))) return
    const erasure = await ask('POST', '/admin/forget', { app_id, ...named })
    this.#id = erasure.id
    this.#isEnded = false
    window.history.replaceState(null, '', `#/forget/${encodeURIComponent(erasure.id)}`)
    this.#say(erasure)
  }

  #say({ id, status, queued, dead_letters: letters, workers_pending: workers }) {
    this.#isEnded = status === 'done'
    const erased = `${counted(queued, 'queued element')} and ${counted(letters, 'dead letter')} erased`
    const why =
      workers === null
        ? 'the api does not know all workers yet'
        : `${counted(workers, 'worker')} not confirmed yet`
    setText(
      this.#result,
      this.#isEnded
        ? `Done: ${erased}; no worker can send this customer’s data.`
        : `Erasure ${id} is pending: ${erased} so far; ${why}. It continues by itself.`,
    )
  }
}

function identifiersOf(text) {
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()]
  })
  return Object.fromEntries(pairs)
}
