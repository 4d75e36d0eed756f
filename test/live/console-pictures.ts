import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromiumHere, launchOptions } from '@relay/tools/fetch/chromium.js'
import { launch, type Browser, type Page } from 'puppeteer-core'
import type { RelayUnderLoad } from './relay-under-load.js'

const DESKTOP = { width: 1000, height: 680 }
/** Pages that ask every two seconds are hardly ever quiet. */
const QUIET_MS = 3_000
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true }

interface View {
  readonly name: string
  readonly path: string
  /** Selector of what has to be there before the picture is taken. */
  readonly ready: string
  readonly prepare?: (page: Page) => Promise<void>
  readonly onPhone?: boolean
}

function viewsOf({ mixedRequestId }: RelayUnderLoad): readonly View[] {
  return [
    { name: 'workspaces', path: '/#/workspaces', ready: '.card .gauge', onPhone: true },
    {
      ...{ name: 'dead-letters', path: '/#/dead-letters?app_id=SHOP', ready: '.letters summary' },
      onPhone: true,
      prepare: async (page) => {
        await page.click('.letters summary')
        await page.waitForSelector('.letters pre')
      },
    },
    { name: 'trace', path: `/#/trace/${mixedRequestId}`, ready: 'main table', onPhone: true },
    { name: 'queues', path: '/#/queues', ready: 'main table', onPhone: true },
  ]
}

/** Takes the console's pictures into `folder`; false when there is no browser here. */
export async function photographConsole(relay: RelayUnderLoad, folder: string): Promise<boolean> {
  const chromium = chromiumHere()
  if (chromium === null) return false
  await mkdir(folder, { recursive: true })
  const browser = await launch(launchOptions(chromium))
  const views = viewsOf(relay)
  const onPhone = views.filter((view) => view.onPhone)
  try {
    await photographAll(browser, relay, views, DESKTOP, (name) => join(folder, `${name}.png`))
    await photographAll(browser, relay, onPhone, PHONE, (name) => join(folder, `${name}-phone.png`))
  } finally {
    await browser.close()
  }
  return true
}

/** On a separate page: a session belongs to a tab, and a tab that becomes a phone reloads. */
async function photographAll(
  browser: Browser,
  relay: RelayUnderLoad,
  views: readonly View[],
  viewport: typeof DESKTOP,
  fileOf: (name: string) => string,
): Promise<void> {
  const page = await browser.newPage()
  await page.setViewport(viewport)
  const url = `http://127.0.0.1:${relay.apiOpsPort}`
  await signIn(page, url, relay.adminToken)
  for (const view of views) await photograph(page, url, view, fileOf(view.name))
  await page.close()
}

async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(url)
  await page.type('input[name=token]', token)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.card .gauge')
}

async function photograph(page: Page, url: string, view: View, file: string): Promise<void> {
  // Another page first: a change of the hash alone would not reload.
  await page.goto('about:blank')
  await page.goto(url + view.path)
  await page.waitForSelector(view.ready)
  await view.prepare?.(page)
  await page.waitForNetworkIdle({ idleTime: 200, timeout: QUIET_MS }).catch(() => undefined)
  await writeFile(file, await page.screenshot({ type: 'png' }))
}
