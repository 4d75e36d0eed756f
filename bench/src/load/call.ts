import { request } from 'node:http'

/** One exchange outside what is measured; throws for any other answer than 200. */
export function call(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${url} answered ${String(response.statusCode)}: ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
