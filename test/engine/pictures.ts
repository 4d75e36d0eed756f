import { writeFile } from 'node:fs/promises'
import { chromiumHere, launchOptions } from '@relay/tools/fetch/chromium.js'
import { launch } from 'puppeteer-core'

const CONSOLE = 'http://127.0.0.1:9464/'
/** The default of docker-compose.yml. */
const TOKEN = 'staging-admin'

/** A picture of the running stack's console, if there is a browser. */
export async function photograph(file: string): Promise<void> {
  const chromium = chromiumHere()
  if (chromium === null) {
    console.log('NO CHROMIUM: no picture of the stack.')
    return
  }
  const browser = await launch(launchOptions(chromium))
  try {
    const page = await browser.newPage()
    await page.setViewport({ width: 1000, height: 680 })
    await page.goto(CONSOLE)
    await page.type('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.card .gauge')
    await writeFile(file, await page.screenshot())
  } finally {
    await browser.close()
  }
}
