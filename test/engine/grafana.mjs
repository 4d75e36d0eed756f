// Stands in for Grafana in the engine test: it reads the provisioning files that Compose mounts and
// answers queries through the data source that they name.
/* global fetch -- runs on Node 24 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const PROVISIONING = '/etc/grafana/provisioning'
const textOf = (folder) => {
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))
  return files.map((name) => readFileSync(`${folder}/${name}`, 'utf8')).join('\n')
}
const source = /url: *(\S+)/.exec(textOf(`${PROVISIONING}/datasources`))[1]
const folder = /path: *(\S+)/.exec(textOf(`${PROVISIONING}/dashboards`))[1]

const answers = {
  '/api/health': () => ({ database: 'ok' }),
  '/api/search': () =>
    readdirSync(folder).map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'))),
  '/api/datasources/proxy/uid/prometheus/api/v1/query': async ({ search }) =>
    (await fetch(`${source}/api/v1/query${search}`)).json(),
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost')
  const answer = answers[url.pathname]
  response.statusCode = answer ? 200 : 404
  response.end(JSON.stringify((await answer?.(url)) ?? null))
}).listen(3000)
