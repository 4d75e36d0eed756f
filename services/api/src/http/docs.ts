import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import type { Express } from 'express'
import { openApiDocument } from '../openapi/document.js'
import { errorsPage } from '../openapi/errors.js'

/** Files of Swagger UI that the page needs; served from the package, so that it works offline. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>relay intake</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<main id="document"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

/** `validatorUrl`: no request to a third-party server. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#document',
  deepLinking: true,
  validatorUrl: null,
})
`

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
}

/** Everything that `serveDocs` serves. */
export const DOCS_PATHS = ['/openapi.json', '/docs{/*rest}']

/** `/openapi.json`, and at `/docs` a page to read and try it. Contains no secrets, needs no credentials. */
export function serveDocs(app: Express): void {
  // Buffers, which responses share: a caller that does not read its answer holds no copy.
  let document: Buffer | undefined
  app.get('/openapi.json', (_request, response) => {
    document ??= Buffer.from(JSON.stringify(openApiDocument()))
    response.set(HEADERS).type('application/json').send(document)
  })
  app.get('/docs', (_request, response) => response.set(HEADERS).type('html').send(PAGE))
  app.get('/docs/start.js', (_request, response) =>
    response.set(HEADERS).type('text/javascript').send(START),
  )
  app.get('/docs/errors.md', (_request, response) =>
    response.set(HEADERS).type('text/plain').send(errorsPage()),
  )
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const files = new Map<string, Buffer>()
  for (const file of FILES) {
    app.get(`/docs/${file}`, (_request, response) => {
      const content = files.get(file) ?? readFileSync(join(root, file))
      files.set(file, content)
      response.set(HEADERS).type(extname(file)).send(content)
    })
  }
}
