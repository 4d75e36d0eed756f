/** Style of the page. Colours follow the reader's system; no external resources. */
const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --ink: #1d2430; --soft: #667085; --line: #e4e2dc;
  --users: #2563c9; --events: #0f8a72; --devices: #8b5bd1; --bad: #c2372c; --warn: #a86400;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --card: #1a2029; --ink: #e8ebf0; --soft: #98a2b3; --line: #2b333f;
    --users: #6ea3f5; --events: #43c4a8; --devices: #b493ea; --bad: #f2786d; --warn: #e3a64a;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 20px 16px 48px }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 16px }
h1 { font-size: 20px; margin: 0 }
h2 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0 0 10px }
header p, .soft { color: var(--soft); margin: 0 }
#state::before { content: "●"; color: var(--events); margin-right: 6px }
#state.lost::before { color: var(--bad) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin-bottom: 14px }
.grid { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)) }
.grid > * { min-width: 0 } .grid > section { margin: 0 }
.grid { margin-bottom: 14px; align-items: start }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(106px, 1fr)); gap: 12px }
.tiles b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums }
.tiles span { color: var(--soft); font-size: 13px }
.gauge { margin: 0 0 14px } .gauge:last-child { margin-bottom: 2px }
.gauge div:first-child { display: flex; justify-content: space-between; gap: 8px; font-variant-numeric: tabular-nums }
.bar { position: relative; height: 10px; margin-top: 5px; border-radius: 5px; background: var(--line); overflow: hidden }
.bar i { position: absolute; inset: 0 auto 0 0; border-radius: 5px; transition: width .4s }
.bar u { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink) }
ul { list-style: none; margin: 0; padding: 0 }
li { border-top: 1px solid var(--line); padding: 8px 0; overflow-wrap: anywhere } li:first-child { border-top: 0 }
.row { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; font-variant-numeric: tabular-nums }
.row .grow { flex: 1 1 auto }
.tag { font-size: 12px; font-weight: 600; padding: 1px 7px; border-radius: 9px; border: 1px solid currentColor }
.ok { color: var(--events) } .bad { color: var(--bad) } .warn { color: var(--warn) }
.customer { color: var(--users) } .event { color: var(--events) } .device { color: var(--devices) }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--soft) }
button {
  font: inherit; font-size: 13px; padding: 4px 12px; border-radius: 7px; cursor: pointer;
  color: inherit; background: transparent; border: 1px solid var(--soft);
}
button:hover, button:focus-visible { border-color: var(--ink) }
`

/** The page's own script: reads the control API once a second and writes text, never markup. */
const PAGE_SCRIPT = `
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
  byId('tiles').replaceChildren(
    tile(n(r.totals.elements), 'elements accepted'),
    tile(n(r.customers), 'customers held'),
    tile(n(r.totals.requests), 'requests'),
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
    showTiles(record); showBudgets(record); showFaults(faults.faults)
    fill('requests', requests.requests.reverse().map(requestRow), 'Nothing has arrived yet.')
    fill('elements', elements.elements.reverse().map(elementRow), 'Nothing has arrived yet.')
    state.className = ''; state.textContent = 'live'
  } catch { state.className = 'lost'; state.textContent = 'no connection' }
}
byId('reset').onclick = async () => { await fetch('/control/record', { method: 'DELETE' }); refresh() }
refresh()
setInterval(() => { if (!document.hidden) refresh() }, 1000)
`

/** The live page: one document without external resources. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>MoEngage simulator</title>
<style>${PAGE_STYLE}</style>
<main>
<header>
  <h1>MoEngage simulator</h1>
  <p>What relay delivered, as MoEngage would have received it.</p>
  <p id="state" role="status">connecting</p>
</header>
<section><div id="tiles" class="tiles"></div></section>
<div id="budgets" class="grid"></div>
<div class="grid">
<section><h2>Newest elements</h2><ul id="elements"></ul></section>
<div>
<section><h2>Newest requests</h2><ul id="requests"></ul></section>
<section><h2>Scripted faults</h2><ul id="faults"></ul></section>
</div>
</div>
<button id="reset">Forget what arrived</button>
</main>
<script>${PAGE_SCRIPT}</script>
</html>
`

/** Allows only inline style and script and this server's control API. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
