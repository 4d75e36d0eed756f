import { ask } from './api.js'
import { facts, make, moment, number, table } from './dom.js'

/** Where the elements of one request are. */
export class TraceView {
  #result = make('div', { role: 'status' })

  async show(main, requestId) {
    const input = make('input', {
      name: 'id',
      value: requestId,
      autocomplete: 'off',
      required: true,
      spellcheck: 'false',
    })
    const form = make(
      'form',
      { class: 'filter short' },
      make('label', {}, 'Request id, as the intake answered it', input),
      make('button', { type: 'submit' }, 'Trace'),
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      location.hash = `#/trace/${encodeURIComponent(input.value.trim())}`
    })
    main.replaceChildren(make('h2', {}, 'Trace of a request'), form, this.#result)
    if (requestId !== '') await this.#load(requestId)
  }

  async #load(requestId) {
    try {
      const trace = await ask('GET', `/admin/requests/${encodeURIComponent(requestId)}`)
      this.#result.replaceChildren(...this.#parts(trace))
    } catch (error) {
      if (error.status !== 404) throw error
      this.#result.replaceChildren(make('p', { class: 'fault' }, error.message))
    }
  }

  #parts({ state, accepted_at: acceptedAt, app_id: appId, counts, sent, dead_lettered: dead }) {
    const known = ([name, n]) => [name.replace('_', '-'), n === null ? '?' : number(n)]
    const badge = { sent: 'running', queued: 'paused' }[state] ?? 'held'
    return [
      make(
        'section',
        { class: 'card' },
        make(
          'div',
          { class: 'row' },
          make('span', { class: `badge ${badge}` }, state.replace('_', '-')),
          `accepted ${moment(acceptedAt)}${appId ? ` for ${appId}` : ''}`,
        ),
        facts(Object.entries(counts).map(known)),
        ...(state === 'unknown' ? [make('p', {}, unknownText(counts))] : []),
        table(
          'Sent',
          ['Sent', 'Elements', 'Bulk request', 'MoEngage request_id'],
          sent.map((s) => [
            moment(s.at),
            number(s.elements),
            s.bulk_request_id,
            s.vendor_request_id ?? '',
          ]),
        ),
        table(
          'Dead letters',
          ['Died', 'Reason', 'MoEngage said'],
          dead.map((d) => [
            moment(d.dead_at),
            d.reason.replaceAll('_', ' '),
            `${d.answer.status} ${d.answer.message}`,
          ]),
        ),
      ),
    ]
  }
}

function unknownText({ accepted }) {
  return accepted === null
    ? 'The import response contains the element count; relay does not store it.'
    : 'It neither waits nor is noted in a configured workspace: Redis lost data, or its workspace was removed from the file.'
}
