/** Creates an element. Text is always text: no data is parsed as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false && value !== null) element.setAttribute(key, value)
  }
  element.append(...children.filter((child) => child !== null))
  return element
}

export function makeSvg(name, attributes = {}) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

/** Sets text only if it changed, so that screen readers do not repeat it. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** Shows a message at the foot of the page; announced politely. */
export function notify(text) {
  const notice = document.getElementById('notice')
  notice.textContent = text
  clearTimeout(notify.timer)
  notify.timer = setTimeout(() => (notice.textContent = ''), 6000)
}

/** Asks for confirmation; resolves to true for yes. */
export function confirmed({ title, text, yes, isDanger = false }) {
  const dialog = document.getElementById('confirm')
  document.getElementById('confirm-title').textContent = title
  document.getElementById('confirm-text').textContent = text
  const button = document.getElementById('confirm-yes')
  button.textContent = yes
  button.className = isDanger ? 'danger' : ''
  dialog.returnValue = 'no'
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

export const number = (n) => n.toLocaleString('en-US')

/** `1 request`, `2 requests`. */
export const counted = (n, what) => `${number(n)} ${what}${n === 1 ? '' : 's'}`

/** A duration in words. */
export function duration(seconds) {
  for (const [unit, length] of [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
  ]) {
    if (seconds >= length * 1.5) return `${Math.round((seconds / length) * 10) / 10} ${unit}`
  }
  return `${Math.round(seconds)} s`
}

/** A time in the reader's time zone. */
export function moment(iso) {
  const date = new Date(iso)
  const today = new Date().toDateString() === date.toDateString()
  // A time stays in one piece where a table is narrow.
  const time = date.toLocaleTimeString().replaceAll(' ', '\u00a0')
  return today ? time : `${date.toLocaleDateString()} ${time}`
}

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

/** A card with a title, what stands beside the title, and parts below; null is none. */
export function card(id, title, beside, ...parts) {
  return make(
    'section',
    { class: 'card', 'aria-labelledby': id },
    make('div', { class: 'row' }, make('h2', { id }, title), ...beside),
    ...parts,
  )
}
