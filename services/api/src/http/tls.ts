import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { TlsOptions } from 'node:tls'
import { readTexts, type TlsFiles, type TlsTexts } from '@relay/shared/config/tls-files.js'
import { watchFiles } from '@relay/shared/config/watch-files.js'

/** Who does not get through the handshake by then is closed, ms. Node's own would be two minutes. */
const HANDSHAKE_MS = 10_000

/** What Node's TLS server is told. Throws when the files, found usable before, are not any more. */
export function tlsOptions(files: TlsFiles): TlsOptions {
  const texts = readTexts(files)
  if (texts === null) throw new Error('the certificate of the intake cannot be used')
  return { ...contextOf(texts), handshakeTimeout: HANDSHAKE_MS }
}

function contextOf({ cert, key, ca }: TlsTexts) {
  const mutual = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  return { cert, key, minVersion: 'TLSv1.2' as const, ...mutual }
}

/**
 * Takes a renewed certificate into use for new connections, without restart; a file that cannot be
 * used leaves the last good one. Returns how to stop.
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
