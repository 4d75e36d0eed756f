import { ApiError, ask, session } from './api.js'
import { DeadLettersView } from './dead-letters.js'
import { make, moment, notify, setText } from './dom.js'
import { ForgetView } from './forget.js'
import { NamesView } from './names.js'
import { ShadowView } from './shadow.js'
import { AuditView, PartitionsView } from './tables.js'
import { TraceView } from './trace.js'
import { WorkspacesView } from './workspaces.js'

const EVERY_MS = 2000

/** The pages by the first part of the address; a page with `update` is refreshed. */
const PAGES = {
  workspaces: () => new WorkspacesView(),
  queues: () => new PartitionsView(),
  'dead-letters': () => new DeadLettersView(),
  trace: () => new TraceView(),
  names: () => new NamesView(),
  shadow: () => new ShadowView(),
  forget: (subject) => new ForgetView(subject),
  audit: () => new AuditView(),
}

const main = document.getElementById('main')
const nav = document.getElementById('nav')
const leave = document.getElementById('leave')
const connection = document.getElementById('connection')
let live = null
/** When the live page was last refreshed; null: never. */
let shownAt = null

function showLogin(message) {
  live = null
  nav.hidden = true
  leave.hidden = true
  setText(connection, '')
  const input = make('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
  })
  const form = make(
    'form',
    { class: 'login card' },
    make('h2', {}, 'Sign in'),
    make('label', {}, 'Admin token (RELAY_ADMIN_TOKEN)', input),
    make('p', { class: 'fault', role: 'alert' }, message),
    make('button', { type: 'submit' }, 'Sign in'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    session.begin(input.value.trim())
    void enter()
  })
  main.replaceChildren(form)
  input.focus()
}

async function enter() {
  try {
    await ask('GET', '/admin/workspaces')
  } catch (error) {
    if (isRefused(error) || !(error instanceof ApiError)) {
      session.end()
      showLogin(refusalText(error))
      return
    }
    // The token may be valid: the views show the error and try again.
    setText(connection, error.message)
  }
  nav.hidden = false
  leave.hidden = false
  await route()
}

async function route() {
  const [path = '', query = ''] = location.hash.replace(/^#\//, '').split('?')
  const [section = '', subject = ''] = path.split('/')
  const here = Object.hasOwn(PAGES, section) ? section : 'workspaces'
  for (const link of nav.querySelectorAll('a')) {
    if (link.getAttribute('href') === `#/${here}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  live = null
  shownAt = null
  main.classList.remove('stale')
  const named = decodeURIComponent(subject)
  const view = PAGES[here](named)
  await view.show(main, here === 'trace' ? named : new URLSearchParams(query))
  if (view.update === undefined) return
  live = view
  await refresh()
}

async function refresh() {
  if (live === null || document.hidden) return
  try {
    await live.update()
    shownAt = new Date().toISOString()
    main.classList.remove('stale')
    connection.classList.remove('lost')
    setText(connection, 'live')
  } catch (error) {
    if (isRefused(error)) throw error
    connection.classList.add('lost')
    main.classList.add('stale')
    const since = shownAt === null ? '' : `. What you see is as of ${moment(shownAt)}.`
    setText(connection, `${error.message}${since}`)
  }
}

/** A message for people; the API's own is for programs. */
function refusalText(error) {
  if (error.status === 401) return 'The token does not match RELAY_ADMIN_TOKEN of this api.'
  return error.message
}

function isRefused(error) {
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
}

/** Errors that a click or a timer did not handle. */
function onError(error) {
  if (isRefused(error)) {
    session.end()
    showLogin(refusalText(error))
  } else notify(error instanceof Error ? error.message : String(error))
}

window.addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  onError(event.reason)
})
window.addEventListener('hashchange', () => {
  if (session.token === null) return
  void route()
  main.focus()
})
leave.addEventListener('click', () => {
  session.end()
  showLogin('')
})
setInterval(() => void refresh(), EVERY_MS)

if (session.token === null) showLogin('')
else void enter()
