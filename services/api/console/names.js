import { ask } from './api.js'
import { card, facts, make, number, table } from './dom.js'

const HEAD = ['Kind', 'Name', 'Types', 'Since', 'Producer', 'Doubt']

/** Names shown of one workspace; `relay names --all` lists all. */
const SHOWN = 500

/** Event and attribute names that workspaces were sent, doubtful ones first. */
export class NamesView {
  async show(main) {
    const { workspaces } = await ask('GET', '/admin/workspaces')
    const all = await Promise.all(workspaces.map(({ app_id: appId }) => ask('GET', pathOf(appId))))
    main.replaceChildren(
      make('h2', {}, 'Names'),
      make(
        'p',
        { class: 'caption' },
        'Names of events and attributes as posted, some seconds late. MoEngage silently blocks new names above its limits.',
      ),
      ...all.map(cardOf),
    )
  }
}

function cardOf({ app_id: appId, bounds, names }) {
  const doubtful = names.filter(({ doubt }) => doubt !== null).length
  const words =
    names.length === 0
      ? 'no names yet'
      : `${number(names.length)} names, ${number(doubtful)} doubtful${names.length > SHOWN ? `; the first ${number(SHOWN)} are shown` : ''}`
  return card(
    `names-${appId}`,
    appId,
    [words],
    facts(bounds.map(boundOf)),
    table(`Names of ${appId}`, HEAD, names.slice(0, SHOWN).map(rowOf)),
  )
}

function boundOf({ of, event, known, limit }) {
  const which = event ? `${of} (${event})` : of
  return [which, `${number(known)} of ${number(limit)}`]
}

function rowOf({ kind, event, name, types, since, producer, doubt }) {
  const whole = event === undefined ? name : `${event} / ${name}`
  return [kind, whole, types.join(', '), since, producer, doubt ?? '']
}

const pathOf = (appId) => `/admin/workspaces/${encodeURIComponent(appId)}/names`
