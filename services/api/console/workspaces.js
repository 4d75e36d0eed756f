import { ask } from './api.js'
import { confirmed, duration, make, makeSvg, moment, notify, number, setText } from './dom.js'

function workersText({ alive, partitions_served, partitions_unserved, none_since }) {
  const partitions = `Partitions with a backlog: ${number(partitions_served)} served, ${number(partitions_unserved)} unserved.`
  if (alive > 0) return `Workers: ${number(alive)} alive. ${partitions}`
  const since = none_since === null ? 'since when is unknown' : `since ${moment(none_since)}`
  return `No worker is alive, ${since}. Nothing is sent or lost. Start a worker. ${partitions}`
}

function intakeText({ meaning, next }) {
  return `${sentence(meaning)} Nothing accepted is lost. Next: ${next}.`
}

function problemText({ meaning, next }) {
  return `${sentence(meaning)} Next: ${next}.`
}

/** What is wrong with more than one workspace, most urgent first. */
function problemTexts(status) {
  const {
    intake_problem: intake,
    loss_risk: risk,
    workspaces_file_problem: file,
    orphaned,
  } = status
  return [
    ...(intake ? [intakeText(intake)] : []),
    ...(risk ? [problemText(risk)] : []),
    ...(file ? [problemText(file)] : []),
    ...(orphaned ? [orphanedText(orphaned)] : []),
  ]
}

function orphanedText({ elements, app_ids: appIds }) {
  const wait = elements === 1 ? '1 element waits' : `${number(elements)} elements wait`
  return `${wait} for workspaces that are not configured (${appIds.join(', ')}). Next: put them back into the workspaces file.`
}

/** The workspaces as cards that are updated in place, to keep focus and reading position. */
export class WorkspacesView {
  #cards = new Map()
  #grid = make('div', { class: 'cards' })
  #workers = make('p', { role: 'status' })
  #problems = make('div', { role: 'status' })

  show(main) {
    main.replaceChildren(this.#problems, this.#workers, make('h2', {}, 'Workspaces'), this.#grid)
  }

  async update() {
    const [status, history] = await Promise.all([
      ask('GET', '/admin/workspaces'),
      ask('GET', '/admin/history'),
    ])
    const { workspaces, workers } = status
    this.#showProblems(problemTexts(status))
    setText(this.#workers, workersText(workers))
    this.#workers.className = workers.alive === 0 ? 'remark' : ''
    const known = new Set(workspaces.map(({ app_id }) => app_id))
    for (const [appId, card] of this.#cards) {
      if (known.has(appId)) continue
      card.element.remove()
      this.#cards.delete(appId)
    }
    for (const workspace of workspaces) {
      const { app_id: appId } = workspace
      if (!this.#cards.has(appId)) {
        const card = new Card(appId, () => this.update())
        this.#cards.set(appId, card)
        this.#grid.append(card.element)
      }
      const samples = history.workspaces[appId] ?? []
      const shown =
        workers.alive === 0 && workspace.state === 'running'
          ? { ...workspace, slowed: { state: 'not sending' } }
          : workspace
      const time = { interval: history.interval_seconds, isWithoutWorkers: workers.alive === 0 }
      this.#cards.get(appId).update(shown, samples, time)
    }
    if (workspaces.length === 0) setText(this.#grid, 'No workspace is configured.')
  }

  /** Replaced only if they changed, so that screen readers do not repeat them. */
  #showProblems(texts) {
    if (this.#problems.textContent === texts.join('')) return
    this.#problems.replaceChildren(...texts.map((text) => make('p', { class: 'remark' }, text)))
  }
}

class Card {
  #appId
  #state = make('span', { class: 'badge' })
  #remarks = make('div', { role: 'status' })
  #facts = new Map()
  #gauges = new Map()
  #gaugeBox = make('div')
  #curve = makeSvg('svg', { class: 'curve', viewBox: '0 0 100 40', role: 'img' })
  #caption = make('div', { class: 'caption' })
  #button
  #dead = make('a', { class: 'badge dead' })

  constructor(appId, refresh) {
    this.#appId = appId
    this.#button = make('button', { type: 'button', class: 'quiet' })
    this.#button.addEventListener('click', () => void this.#toggle(refresh))
    this.#dead.href = `#/dead-letters?app_id=${encodeURIComponent(appId)}`
    this.#curve.setAttribute('preserveAspectRatio', 'none')
    const facts = make('dl', { class: 'facts' })
    for (const name of ['Realtime', 'Backfill', 'Oldest', 'ETA']) {
      const value = make('dd')
      this.#facts.set(name, value)
      facts.append(make('div', {}, make('dt', {}, name), value))
    }
    const title = make('h2', { id: `ws-${appId}` }, appId)
    this.element = make(
      'section',
      { class: 'card', 'aria-labelledby': `ws-${appId}` },
      make(
        'div',
        { class: 'row' },
        title,
        this.#state,
        this.#dead,
        make('span', { class: 'fill' }),
        this.#button,
      ),
      this.#remarks,
      facts,
      this.#curve,
      this.#caption,
      this.#gaugeBox,
    )
  }

  update(workspace, samples, { interval, isWithoutWorkers }) {
    const {
      state,
      mode,
      slowed,
      backlog,
      oldest_age_seconds: ages,
      drain_eta_seconds: eta,
    } = workspace
    const isSlowed = slowed && state === 'running'
    const words = isSlowed ? slowed.state.replace('_', ' ') : state
    setText(this.#state, mode === 'shadow' ? `shadow, ${words}` : words)
    this.#state.className = `badge ${isSlowed || (mode === 'shadow' && state === 'running') ? 'slowed' : state}`
    setText(this.#button, state === 'paused' ? 'Resume' : 'Pause')
    this.#button.setAttribute(
      'aria-label',
      `${state === 'paused' ? 'Resume' : 'Pause'} ${this.#appId}`,
    )
    this.#button.dataset.action = state === 'paused' ? 'resume' : 'pause'
    const dead = Object.values(workspace.dead_letters).reduce((sum, n) => sum + n, 0)
    this.#dead.hidden = dead === 0
    setText(this.#dead, `${number(dead)} dead ${dead === 1 ? 'letter' : 'letters'}`)
    this.#remark(workspace, isWithoutWorkers)
    const age = Math.max(ages.realtime ?? -1, ages.backfill ?? -1)
    this.#fact('Realtime', number(backlog.realtime.total))
    this.#fact('Backfill', number(backlog.backfill.total))
    this.#fact('Oldest', age < 0 ? '–' : duration(age))
    const more = workspace.customers_held.count > 0 ? ' + held' : ''
    this.#fact('ETA', eta === null ? 'unknown' : `${duration(eta)}${more}`)
    for (const [name, budget] of Object.entries(workspace.budgets)) {
      this.#gauge(name, budget, workspace.budget_window_seconds)
    }
    this.#draw(samples, interval)
  }

  #fact(name, text) {
    setText(this.#facts.get(name), text)
  }

  #remark(workspace, isWithoutWorkers) {
    const { mode, hold, slowed, learned, customers_held: held } = workspace
    const probe = (closure) => probeText(workspace, closure, isWithoutWorkers)
    let text = ''
    if (hold) {
      const times = `Held since ${moment(hold.since)}, next probe ${probe(hold)}.`
      text = `${sentence(hold.meaning)} ${times} Nothing is lost. Next: ${hold.next}.`
    } else if (slowed?.reason) {
      text = `${sentence(slowed.meaning)} Next try ${probe(slowed)}. Next: ${slowed.next}.`
    }
    const isBad = hold || (slowed?.reason && isLong(slowed))
    const mild = [
      mode === 'shadow' ? 'Shadow: nothing is sent.' : '',
      workspace.budgets_recovering && !isWithoutWorkers ? RECOVERING : '',
      isSlow(workspace) && !isWithoutWorkers ? SLOW : '',
      ...learnedTexts(learned, slowed),
      customersHeldText(held),
    ].filter((words) => words)
    if (this.#remarks.textContent === text + mild.join('')) return
    const paragraph = (words, kind) => make('p', { class: kind }, words)
    this.#remarks.replaceChildren(
      ...(text ? [paragraph(text, isBad ? 'remark' : 'remark mild')] : []),
      ...mild.map((words) => paragraph(words, 'remark mild')),
    )
  }

  #gauge(name, { used, effective, limit }, windowSeconds) {
    if (!this.#gauges.has(name)) {
      const bar = make('div')
      const words = make('span')
      const track = make(
        'div',
        {
          class: 'track',
          role: 'meter',
          'aria-label': `${name} budget used`,
          'aria-valuemin': '0',
        },
        bar,
      )
      const label = make('div', { class: 'label' }, make('span', {}, name), words)
      this.#gaugeBox.append(make('div', { class: 'gauge' }, label, track))
      this.#gauges.set(name, { bar, words, track })
    }
    const { bar, words, track } = this.#gauges.get(name)
    const shrunk = effective < limit ? ` (of ${number(limit)})` : ''
    setText(words, `${number(used)} of ${number(effective)}${shrunk} in ${windowSeconds} s`)
    track.setAttribute('aria-valuemax', effective)
    track.setAttribute('aria-valuenow', Math.min(used, effective))
    bar.style.width = `${Math.min(100, (used / effective) * 100)}%`
  }

  #draw(samples, intervalSeconds) {
    const top = Math.max(1, ...samples)
    const last = Math.max(1, samples.length - 1)
    const xOf = (i) => ((i / last) * 100).toFixed(2)
    let line = ''
    let area = ''
    samples.forEach((n, i) => {
      if (n === null) return
      const isFirst = (samples[i - 1] ?? null) === null
      const point = `${xOf(i)} ${(38 - (n / top) * 36).toFixed(2)}`
      line += `${isFirst ? 'M' : 'L'}${point}`
      area += isFirst ? `M${xOf(i)} 40L${point}` : `L${point}`
      // Unknown is a gap.
      if ((samples[i + 1] ?? null) === null) area += `L${xOf(i)} 40Z`
    })
    const paths = [makeSvg('path', { class: 'area', d: area }), makeSvg('path', { d: line })]
    this.#curve.replaceChildren(...paths)
    const span = duration(samples.length * intervalSeconds)
    const words = `Backlog of the last ${span}, at most ${number(Math.max(0, ...samples))}`
    this.#curve.setAttribute('aria-label', words)
    setText(this.#caption, words)
  }

  async #toggle(refresh) {
    const { action } = this.#button.dataset
    const isPause = action === 'pause'
    const text = 'Sending stops; posts are still accepted and wait. Nothing is lost.'
    if (isPause && !(await confirmed({ title: `Pause ${this.#appId}?`, text, yes: 'Pause' })))
      return
    await ask('POST', `/admin/workspaces/${encodeURIComponent(this.#appId)}/${action}`)
    notify(`${this.#appId} ${isPause ? 'is paused' : 'resumed'}.`)
    await refresh()
  }
}

/** A longer pause than relay itself makes is worth a look, ms. */
const LONG_PAUSE_MS = 300_000

function isLong({ since, next_probe_at: at }) {
  return Date.parse(at) - Date.parse(since) > LONG_PAUSE_MS
}

/** MoEngage asked for a pause that outlasts what its 429 taught. */
function isPausedBeyond(slowed, at) {
  return slowed?.state === 'rate_limited' && Date.parse(slowed.next_probe_at) > Date.parse(at)
}

function probeText({ state }, { next_probe_at: at, probe_is_due: isDue }, isWithoutWorkers) {
  if (state === 'paused') return 'after Resume, as the workspace is paused'
  if (isWithoutWorkers) return 'once a worker is alive'
  return isDue ? 'with the next element that may be sent' : moment(at)
}

function learnedTexts({ budget, body }, slowed) {
  const texts = []
  if (budget && !isPausedBeyond(slowed, budget.full_at)) {
    const percent = Math.max(1, Math.round(budget.share * 100))
    texts.push(
      `MoEngage answered 429 at ${moment(budget.since)}: relay uses ${percent} % of its budgets, 100 % by ${moment(budget.full_at)}.`,
    )
  }
  if (body) {
    texts.push(
      `MoEngage refuses large bodies (413): relay sends at most ${number(body.bytes)} bytes, and tries more after ${moment(body.larger_at)}.`,
    )
  }
  return texts
}

const RECOVERING =
  'Redis restarted: nothing is sent until requests that it may have forgotten no longer count (a budget window and some seconds at most).'

const SLOW =
  'Elements wait although the budgets have room, so the ETA is unknown: MoEngage, Redis or the workers are slow. Next: runbook RelayDeliveryLate.'

/** The estimate is unknown for no reason that is said elsewhere. */
function isSlow({ state, mode, slowed, budgets_recovering: isRecovering, drain_eta_seconds: eta }) {
  const isSending = state === 'running' && mode !== 'shadow'
  return isSending && slowed === null && !isRecovering && eta === null
}

function customersHeldText({ count, longest: [longest] }) {
  if (count === 0) return ''
  const who = count === 1 ? '1 customer is' : `${number(count)} customers are`
  const times = `the first since ${moment(longest.since)} until ${moment(longest.until)} at least`
  return `${who} held back, ${times}: MoEngage blocks end users with this many requests. Other customers do not wait. The ETA ignores the hold; these customers take longer. Next: look for a test, shared or default id. Hash of the first: ${longest.customer}`
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`
}
