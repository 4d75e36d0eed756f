import { chromiumHere, launchOptions } from '@relay/tools/fetch/chromium.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { launch, type Browser, type Page } from 'puppeteer-core'

/** The console in a browser, read as a person reads it. */
export class Console {
  readonly page: Page
  readonly #browser: Browser
  readonly #url: string

  private constructor(browser: Browser, page: Page, url: string) {
    this.#browser = browser
    this.page = page
    this.#url = url
  }

  static async open(url: string, token: string): Promise<Console> {
    const chromium = chromiumHere()
    if (chromium === null) throw new Error('No Chromium: npm test fetches one')
    const browser = await launch(launchOptions(chromium))
    const page = await browser.newPage()
    await page.goto(url)
    await page.type('input[name=token]', token)
    await page.keyboard.press('Enter')
    return new Console(browser, page, url)
  }

  async go(hash: string): Promise<void> {
    await this.page.goto(`${this.#url}/#/${hash}`)
  }

  /** The text of all elements that a selector finds, once one says what is looked for. */
  async read(selector: string, pattern = /./): Promise<string> {
    const text = async () => {
      const texts = await this.page.$$eval(selector, (found) =>
        found.map((element) => (element as unknown as { innerText: string }).innerText),
      )
      const all = texts
        .filter((one) => one !== '')
        .join(' / ')
        .replaceAll(/\s*\n\s*/g, ' ')
      return pattern.test(all) ? all : null
    }
    return waitFor(text, { what: `${selector} to match ${pattern}`, timeoutMs: 30_000 })
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}
