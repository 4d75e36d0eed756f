/** The page's own script: reads the control API once a second and writes text, never markup. */
export const PAGE_SCRIPT = `
'use strict'
const byId = (id) => document.getElementById(id)
const count = new Intl.NumberFormat('en')
const n = (value) => count.format(Math.round(value))
function el(tag, className, text, ...children) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined && text !== null) node.textContent = text
  node.append(...children)
  return node
}
const time = (ms) => new Date(ms).toLocaleTimeString('en-GB')
const get = async (path) => (await fetch('/control/' + path)).json()

function tile(value, label) { return el('div', '', null, el('b', '', value), el('span', '', label)) }
function showTiles(r) {
  const recent = r.seconds.filter((s) => s.at >= r.nowMs / 1000 - 11 && s.at < Math.floor(r.nowMs / 1000))
  const rate = (name) => n(recent.reduce((sum, s) => sum + s[name], 0) / 10)
  byId('tiles').replaceChildren(
    tile(n(r.totals.elements), 'elements accepted'),
    tile(n(r.customers), 'customers held'),
    tile(rate('users') + '/s', 'users, last 10 s'),
    tile(rate('events') + '/s', 'events, last 10 s'),
    tile(rate('requests') + '/s', 'requests, last 10 s'),
    tile(n(r.bodyBytes.mean) + ' B', 'mean body'),
    tile(n(r.totals.refused), 'requests refused'),
    tile(n(r.overlap.overlaps), 'customer overlaps'),
  )
}
function gauge(name, reading, windowMs) {
  const { limit, used, peak } = reading
  const full = Math.max(limit, peak)
  const fill = el('i')
  fill.style.width = (100 * used) / full + '%'
  fill.style.background = 'var(--' + name + ')'
  const mark = el('u')
  mark.style.left = 'calc(' + (100 * peak) / full + '% - 2px)'
  const over = peak > limit ? 'bad' : 'soft'
  const head = el('div', '', null,
    el('span', '', name + ' ' + n(used) + ' of ' + n(limit)),
    el('span', over, 'peak ' + n(peak) + ' in any ' + windowMs / 1000 + ' s'))
  return el('div', 'gauge', null, head, el('div', 'bar', null, fill, mark))
}
function showBudgets(r) {
  byId('budgets').replaceChildren(...r.budgets.map((b) => {
    const names = ['users', 'events', 'devices'].filter((name) => b[name].limit !== null)
    const gauges = names.map((name) => gauge(name, b[name], r.windowMs))
    return el('section', '', null, el('h2', '', b.appId + ', ' + r.windowMode + ' windows'), ...gauges)
  }))
}
function showChart(r) {
  const now = Math.floor(r.nowMs / 1000)
  const top = Math.max(1, ...r.seconds.map((s) => s.users + s.devices + s.events))
  const bars = []
  for (const s of r.seconds) {
    const x = 120 - (now - s.at)
    let y = 60
    for (const name of ['events', 'users', 'devices']) {
      const height = (58 * s[name]) / top
      const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
      y -= height
      const place = { x, y, width: 0.8, height, fill: 'var(--' + name + ')' }
      for (const [key, value] of Object.entries(place)) bar.setAttribute(key, value)
      bars.push(bar)
    }
  }
  byId('chart').replaceChildren(...bars)
  byId('top').textContent = 'most in one second: ' + n(top)
}
function showFaults(faults) {
  const rows = faults.map((f) => {
    const clear = el('button', '', 'Clear')
    clear.setAttribute('aria-label', 'Clear fault ' + f.id)
    clear.onclick = async () => { await fetch('/control/faults/' + encodeURIComponent(f.id), { method: 'DELETE' }); refresh() }
    const { id, action, ...limits } = f.rule
    const left = f.left === null ? '' : ', ' + f.left + ' left'
    return el('li', '', null,
      el('div', 'row', null, el('span', 'tag warn', action.kind), el('b', '', f.id),
        el('span', 'soft grow', 'applied ' + n(f.applied) + left), clear),
      el('pre', '', JSON.stringify({ ...limits, action })))
  })
  const none = el('p', 'soft', 'None. Add one with POST /control/faults.')
  byId('faults').replaceChildren(...(rows.length ? rows : [none]))
}
function requestRow(q) {
  const good = q.fate === 'accepted' && q.status === 200
  const state = q.status ?? (q.endedAtMs === null ? 'open' : 'cut')
  const tone = good ? 'ok' : q.fate === 'open' ? 'warn' : 'bad'
  const why = q.message ?? (good ? '' : q.fate)
  const fault = q.fault === null ? '' : ' (fault ' + q.fault + ')'
  return el('li', 'row', null,
    el('span', 'tag ' + tone, state), el('span', '', time(q.startedAtMs)),
    el('span', '', n(q.elements) + ' elements'), el('span', '', n(q.bytes) + ' B'),
    el('span', 'soft', q.endpoint + ' ' + q.requestId),
    el('span', 'soft grow', why + fault))
}
function elementRow(e) {
  return el('li', '', null,
    el('div', 'row', null, el('span', 'tag ' + e.type, e.type), el('b', '', e.customer),
      el('span', 'soft', time(e.arrivedAtMs) + ', no. ' + n(e.seq) + ', request ' + e.requestId)),
    el('pre', '', e.raw))
}
function fill(id, rows, empty) {
  byId(id).replaceChildren(...(rows.length ? rows : [el('p', 'soft', empty)]))
}
async function refresh() {
  const state = byId('state')
  try {
    const [record, faults, requests, elements] = await Promise.all([
      get('record'), get('faults'), get('requests?newest=1&limit=12'), get('elements?newest=1&limit=8&raw=1'),
    ])
    showTiles(record); showBudgets(record); showChart(record); showFaults(faults.faults)
    fill('requests', requests.requests.reverse().map(requestRow), 'Nothing has arrived yet.')
    fill('elements', elements.elements.reverse().map(elementRow), 'Nothing has arrived yet.')
    state.className = ''; state.textContent = 'live'
  } catch { state.className = 'lost'; state.textContent = 'no connection' }
}
byId('reset').onclick = async () => { await fetch('/control/record', { method: 'DELETE' }); refresh() }
refresh()
setInterval(() => { if (!document.hidden) refresh() }, 1000)
`
