import { chromiumHere, launchOptions } from '@relay/tools/fetch/chromium.js'
import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import { DEAD_LETTER_REASONS } from '@relay/shared/dead-letters/dead-letter.js'
import { readGate } from '@relay/shared/gate/gate-state.js'
import { GateStore } from '@relay/shared/gate/gate-store.js'
import { advance } from '@relay/shared/gate/gate.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import axe from 'axe-core'
import { launch, type Browser, type HTTPRequest, type Page } from 'puppeteer-core'
import { letter, Operations, redisForTests, TOKEN } from './operations.js'
import { waitingPost } from '../support/waiting-post.js'

const chromium = chromiumHere()
const inBrowser = chromium === null ? describe.skip : describe

let redis: TestRedis
let client: RedisClient
let o: Operations

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
  o = await new Operations(client, redis.freshPrefix()).start()
})
afterAll(async () => {
  await o.stop()
  client.disconnect()
  await redis.stop()
})

it('the page is given to anybody, holds no secret, and may run nothing but its own files', async () => {
  const response = await fetch(`${o.url}/`)
  expect(response.status).toBe(200)
  const text = await response.text()
  expect(text).not.toMatch(/https?:\/\//)
  expect(text).not.toContain(TOKEN)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  for (const [, path] of text.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)) {
    expect((await fetch(`${o.url}${path ?? ''}`)).status).toBe(200)
  }
  expect((await fetch(`${o.url}/console/..%2Fpackage.json`)).status).toBe(404)
})

it('can filter by every reason for a dead letter', async () => {
  const script = await (await fetch(`${o.url}/console/dead-letters.js`)).text()
  const [, listed = ''] = /^const REASONS = \[(.*)\]$/m.exec(script) ?? []
  expect(listed.replaceAll("'", '').split(', ')).toEqual([...DEAD_LETTER_REASONS])
})

inBrowser('the console in a browser', () => {
  let browser: Browser
  let page: Page
  const faults: string[] = []

  beforeAll(async () => {
    browser = await launch(launchOptions(chromium!))
    page = await browser.newPage()
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    await page.goto(`${o.url}/`)
  })
  afterAll(() => browser.close())

  const see = (text: string) => page.waitForSelector(`text/${text}`)
  const press = (text: string) => page.locator(`::-p-xpath(//button[text()="${text}"])`).click()

  it('a wrong token is told so', async () => {
    await page.type('input[name=token]', 'wrong')
    await page.keyboard.press('Enter')
    await see('RELAY_ADMIN_TOKEN')
    await page.waitForSelector('.fault:not(:empty)')
    // The browser itself notes the 401.
    faults.length = 0
  })

  it('without a worker it says so first, and no workspace is shown as running', async () => {
    await page.$eval('input[name=token]', (input) => {
      input.value = ''
    })
    await page.type('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await see('No worker is alive')
    await see('not sending')
    expect(await page.$('.badge.running')).toBeNull()
    o.intakeProblem = { reason: 'redis_full', meaning: 'Redis is full', next: 'Raise maxmemory' }
    await see('Redis is full. Nothing accepted is lost. Next: Raise maxmemory.')
    o.intakeProblem = null
    await see('Redis could lose accepted elements: it keeps no append-only file. Next: CONFIG SET')
    o.faults.push({ where: 'w.json', problem: 'is no JSON', accepted: 'a JSON file' })
    await see('the last valid one stays in use. Next: Correct the file')
    o.faults.length = 0
    await o.store.store(waitingPost('GONE', ['ada']))
    await see('1 element waits for workspaces that are not configured (GONE)')
    await press('Sign out')
    faults.length = 0
  })

  it('shows a hold with its reason, and pauses after a confirmation, by keyboard', async () => {
    const event = { type: 'refused_for', reason: 'credentials_refused', probeId: null } as const
    const held = advance(readGate(null), event, Date.now(), 0)
    await new GateStore(client, o.prefix, 'OTHER').change('0', JSON.stringify(held))
    await page.type('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await see('MoEngage refuses the API key')
    await see('next probe once a worker is alive')
    for (const [action, words] of [
      ['pause', 'next probe after Resume, as the workspace is paused'],
      ['resume', 'next probe once a worker is alive'],
    ] as const) {
      const headers = { Authorization: `Bearer ${TOKEN}` }
      await fetch(`${o.url}/admin/workspaces/OTHER/${action}`, { method: 'POST', headers })
      await see(words)
    }
    const all = o.configured
    o.configured = all.map((one) => ({ ...one, mode: 'shadow' as const }))
    await see('shadow, held')
    await page.setOfflineMode(true)
    await page.waitForSelector('main.stale')
    await see('What you see is as of ')
    await page.setOfflineMode(false)
    await page.waitForSelector('main:not(.stale)')
    // An api that hangs is not shown as live for long.
    const hang = (request: HTTPRequest): void => {
      if (!request.url().endsWith('/admin/workspaces')) void request.continue()
    }
    page.on('request', hang)
    await page.setRequestInterception(true)
    await see('The api does not answer. What you see is as of ')
    page.off('request', hang)
    await page.setRequestInterception(false)
    await page.waitForSelector('main:not(.stale)')
    // The browser itself notes the lost connection.
    faults.length = 0
    await see('Shadow: nothing is sent.')
    o.configured = all
    await page.focus('[aria-label="Pause APP"]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open]')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[aria-label="Resume APP"]')
    const { record } = await new GateStore(client, o.prefix, 'APP').read()
    expect(readGate(record).paused).toBe(true)
  })

  it('finds a customer’s dead letters, shows the element as it is, and replays it', async () => {
    await o.letters.add([letter(1, 'ada'), letter(2, 'bob')])
    await page.goto(`${o.url}/#/dead-letters`)
    await see('2 shown')
    await page.type('input[name=customer_id]', 'bob')
    await page.keyboard.press('Enter')
    await see('1 shown')
    await see('event of bob')
    await page.click('.letters summary')
    await see('"n":123456789012345678902')
    await page.click('.letters input[type=checkbox]')
    await press('Replay selected')
    await page.waitForSelector('dialog[open]')
    await page.click('#confirm-yes')
    await see('1 dead letter put back')
    expect((await o.queued()).map(({ json }) => json.toString())).toEqual([
      letter(2, 'bob').element,
    ])
  })

  it('fits a phone: nothing is wider than the screen', async () => {
    await page.setViewport({ width: 360, height: 720 })
    for (const section of Object.keys(SHOWN)) {
      await page.goto(`${o.url}/#/${section}`)
      await page.waitForSelector(SHOWN[section]!)
      const width = await page.evaluate('document.documentElement.scrollWidth')
      expect(width).toBeLessThanOrEqual(360)
    }
    await o.store.store(waitingPost('APP', ['ada']))
    await page.goto(`${o.url}/#/queues`)
    await page.waitForSelector('.scroll table')
    const edge = `(() => {
      const box = document.querySelector('.scroll')
      return [box.scrollWidth > box.clientWidth, getComputedStyle(box).borderRightStyle]
    })()`
    expect(await page.evaluate(edge)).toEqual([true, 'solid'])
  })

  it('every control has a name that a screen reader can say', async () => {
    const tree = JSON.stringify(await page.accessibility.snapshot())
    expect(tree).not.toMatch(/"role":"(button|link|textbox|checkbox|combobox)","name":""/)
    expect(faults).toEqual([])
  })

  it.each(['light', 'dark'])(
    'no page breaks a rule of WCAG 2.1 A or AA that a machine can judge, %s',
    async (scheme) => {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      for (const section of Object.keys(SHOWN)) {
        await page.goto(`${o.url}/#/${section}`)
        await page.waitForSelector(SHOWN[section]!)
        expect([section, await brokenRules(page)]).toEqual([section, []])
      }
    },
  )

  it('shows each partition with its elements, oldest and owner, and that none has one', async () => {
    await o.store.store(waitingPost('APP', ['ada', 'bob']))
    await page.setViewport({ width: 1_000, height: 700 })
    await page.goto(`${o.url}/#/workspaces`)
    await page.locator('nav a[href="#/queues"]').click()
    await page.waitForSelector('table')
    const words = await page.evaluate('document.querySelector("main").innerText')
    expect(words).toMatch(/(\d+) partitions?, \1 without an owner/)
    expect(words).toMatch(/APP\s+realtime/)
    expect(words).not.toMatch(/ada|bob/)
  })

  it('forgets a customer after a confirmation, says how far it is, and the audit has it', async () => {
    await o.store.store(waitingPost('APP', ['eve']))
    await page.goto(`${o.url}/#/forget`)
    await page.waitForSelector('input[name=customer_id]')
    await press('Forget')
    await see('Enter a customer id or identifiers')
    await page.type('input[name=customer_id]', 'eve')
    await press('Forget')
    await page.waitForSelector('dialog[open]')
    await page.click('#confirm-yes')
    await see('1 queued element and 0 dead letters erased')
    await page.goto(`${o.url}/#/audit`)
    await see('queued=1')
    expect(await page.evaluate('document.querySelector("main").innerText')).not.toContain('eve')
    expect(faults).toEqual([])
  })
})

/** What is there once a section has its data. */
const SHOWN: Readonly<Record<string, string>> = {
  workspaces: '.card .gauge',
  'dead-letters': '.letters li',
  trace: 'form.filter',
  queues: 'main p[role=status]:not(:empty)',
  names: 'main h2',
  shadow: 'main h2',
  forget: 'form.filter',
  audit: 'main table',
}

/** Rules of accessibility that the page breaks, each with the first place. */
async function brokenRules(page: Page): Promise<readonly string[]> {
  // The page's own policy forbids scripts of others; the tools of the browser may.
  await page.evaluate(axe.source)
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })`
  const { violations } = (await page.evaluate(run)) as {
    violations: { id: string; nodes: { html: string }[] }[]
  }
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
}
