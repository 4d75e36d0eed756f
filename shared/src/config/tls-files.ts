import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { ConfigFault } from './fault.js'
import type { RedisTls } from './redis-url.js'
import { SETTINGS, type Name } from './settings.js'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  /** Authorities whose certificates callers must present; null: no client certificates. */
  readonly clientCaFile: string | null
}

/** Contents of the files, PEM. */
export interface TlsTexts {
  readonly cert: string
  readonly key: string
  readonly ca: string | null
}

type Str = (name: Name) => string | null

/** A certificate file; null when none is named or it cannot be used. */
export function readPem(where: Name, path: string | null, faults: ConfigFault[]): string | null {
  if (path === null) return null
  try {
    const text = readFileSync(path, 'utf8')
    // Throws on an invalid certificate. OpenSSL's message may quote the file, so it is not passed on.
    new X509Certificate(text)
    return text
  } catch {
    faults.push(unusable(where, path))
    return null
  }
}

export function readRedisTls(str: Str, faults: ConfigFault[]): RedisTls {
  const ca = readPem('REDIS_CA_FILE', str('REDIS_CA_FILE'), faults)
  const certFile = str('REDIS_CERT_FILE')
  const keyFile = str('REDIS_KEY_FILE')
  const own = { ...(ca === null ? {} : { ca }) }
  if (!bothOrNone(['REDIS_CERT_FILE', certFile], ['REDIS_KEY_FILE', keyFile], faults)) return own
  if (certFile === null || keyFile === null) return own
  const texts = readTexts({ certFile, keyFile, clientCaFile: null })
  if (texts === null) {
    faults.push(unusable('REDIS_CERT_FILE', `${certFile} with ${keyFile}`))
    return own
  }
  return { ...own, cert: texts.cert, key: texts.key }
}

/** The files of the intake's TLS as named; null: none are. */
export function readTls(str: Str, faults: ConfigFault[]): TlsFiles | null {
  const certFile = str('RELAY_TLS_CERT_FILE')
  const keyFile = str('RELAY_TLS_KEY_FILE')
  const clientCaFile = str('RELAY_TLS_CLIENT_CA_FILE')
  if (!bothOrNone(['RELAY_TLS_CERT_FILE', certFile], ['RELAY_TLS_KEY_FILE', keyFile], faults)) {
    return null
  }
  if (certFile === null || keyFile === null) {
    if (clientCaFile !== null) faults.push(alone('RELAY_TLS_CLIENT_CA_FILE', 'RELAY_TLS_CERT_FILE'))
    return null
  }
  return { certFile, keyFile, clientCaFile }
}

/** Faults of the intake's TLS files; only the api reads them. */
export function tlsFaults(files: TlsFiles | null): ConfigFault[] {
  if (files === null || readTexts(files) !== null) return []
  const { certFile, keyFile, clientCaFile } = files
  const named = [certFile, keyFile, ...(clientCaFile === null ? [] : [clientCaFile])].join(', ')
  const problem = `one of ${named} is unreadable, invalid or does not match the others`
  const accepted = 'a PEM certificate, its own key, and certificates of authorities'
  return [{ where: 'RELAY_TLS_CERT_FILE', problem, accepted }]
}

/** Reads the files; null when one is missing or they do not belong together. */
export function readTexts({ certFile, keyFile, clientCaFile }: TlsFiles): TlsTexts | null {
  try {
    const cert = readFileSync(certFile, 'utf8')
    const key = readFileSync(keyFile, 'utf8')
    const ca = clientCaFile === null ? null : readFileSync(clientCaFile, 'utf8')
    createSecureContext({ cert, key, ...(ca === null ? {} : { ca }) })
    if (ca !== null) new X509Certificate(ca)
    return { cert, key, ca }
  } catch {
    return null
  }
}

function bothOrNone(
  [a, first]: readonly [Name, string | null],
  [b, second]: readonly [Name, string | null],
  faults: ConfigFault[],
): boolean {
  if ((first === null) === (second === null)) return true
  faults.push(first === null ? alone(b, a) : alone(a, b))
  return false
}

function alone(where: Name, other: Name): ConfigFault {
  return { where, problem: `is set without ${other}`, accepted: 'both or none' }
}

function unusable(where: Name, path: string): ConfigFault {
  const { accepted } = SETTINGS[where]
  return { where, problem: `${path} is unreadable or invalid`, accepted }
}
