import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromiumHere, launchOptions } from '@relay/tools/chromium/find-chromium.js'
import { launch } from 'puppeteer-core'

const PAGES = {
  console: 'http://127.0.0.1:9464/',
  prometheus:
    'http://127.0.0.1:9090/classic/graph?g0.expr=relay_delivered_elements_total&g0.tab=0&g0.range_input=2m',
} as const

/** Pictures of the running stack, where there is a browser. */
export async function photograph(folder: string): Promise<void> {
  const chromium = chromiumHere()
  if (chromium === null) {
    console.log('NO CHROMIUM: no picture of the stack.')
    return
  }
  const browser = await launch(launchOptions(chromium))
  try {
    const page = await browser.newPage()
    await page.setViewport({ width: 1000, height: 680 })
    for (const [name, url] of Object.entries(PAGES)) {
      await page.goto(url)
      if (name === 'console') {
        await page.type('input[name=token]', 'staging-admin')
        await page.keyboard.press('Enter')
        await page.waitForSelector('.card .gauge')
      } else await page.waitForNetworkIdle({ timeout: 10_000 }).catch(() => undefined)
      await writeFile(join(folder, `${name}.png`), await page.screenshot())
    }
  } finally {
    await browser.close()
  }
}
