import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { TlsOptions } from 'node:tls'
import { readTexts, type TlsFiles, type TlsTexts } from '@relay/shared/config/tls-files.js'
import { watchFiles } from '@relay/shared/config/watch-files.js'

/** Maximum time of a handshake, ms. Node's default is two minutes. */
const HANDSHAKE_MS = 10_000

/** Options of Node's TLS server. Throws if the files have become invalid. */
export function tlsOptions(files: TlsFiles): TlsOptions {
  const texts = readTexts(files)
  if (texts === null) throw new Error('the certificate of the intake is invalid')
  return { ...contextOf(texts), handshakeTimeout: HANDSHAKE_MS }
}

function contextOf({ cert, key, ca }: TlsTexts) {
  const mutual = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  return { cert, key, minVersion: 'TLSv1.2' as const, ...mutual }
}

/**
 * Loads a renewed certificate for new connections without a restart; keeps the last valid one if a
 * file is invalid. Returns a function that stops it.
 */
export function watchTls(
  server: Server,
  files: TlsFiles | null,
  onChange: (taken: boolean) => void,
): () => void {
  if (files === null || !(server instanceof TlsServer)) return () => undefined
  const { certFile, keyFile, clientCaFile } = files
  const paths = [certFile, keyFile, ...(clientCaFile === null ? [] : [clientCaFile])]
  return watchFiles(paths, () => {
    const texts = readTexts(files)
    if (texts !== null) server.setSecureContext(contextOf(texts))
    onChange(texts !== null)
  })
}
