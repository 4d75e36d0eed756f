import { readFileSync } from 'node:fs'
import type { Express } from 'express'

const FOLDER = new URL('../../console/', import.meta.url)

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** The files of the console; nothing else of the folder is served. */
const FILES = [
  'index.html',
  'console.css',
  'main.js',
  'api.js',
  'dom.js',
  'workspaces.js',
  'dead-letters.js',
  'trace.js',
  'tables.js',
  'names.js',
  'shadow.js',
  'forget.js',
] as const

/** All resources come from this origin; no inline scripts, no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

/**
 * The console at `/`: a page without secrets. It asks for the admin token, keeps it for the tab and
 * works through the operator API alone.
 */
export function addConsole(app: Express): void {
  for (const name of FILES) {
    const content = readFileSync(new URL(name, FOLDER))
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? ''
    app.get(name === 'index.html' ? '/' : `/console/${name}`, (_request, response) => {
      response.set({ ...HEADERS, 'Content-Type': type })
      response.end(content)
    })
  }
}
