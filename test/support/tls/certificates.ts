import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { connect, type AddressInfo } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { LOOPBACK } from '@relay/tools/process/port.js'

/** A certificate and its key, PEM. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

/**
 * A certificate authority of a test's own, P-256. Node makes keys and signatures but no
 * certificates; a program such as openssl may be missing where tests run.
 */
export class Authority {
  readonly cert: string
  readonly #key: KeyObject
  readonly #name: Buffer

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#name = distinguishedName(name)
    const isAuthority = extension('551d13', sequence(Buffer.from('0101ff', 'hex')), true)
    this.cert = this.#certificate(this.#name, publicKey, [isAuthority])
  }

  /** For servers on 127.0.0.1 and under these host names, and for clients. */
  issue(name: string, hosts: readonly string[] = ['localhost']): Certified {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const names = sequence(
      ...hosts.map((host) => der(0x82, Buffer.from(host))),
      der(0x87, Buffer.from([127, 0, 0, 1])),
    )
    const cert = this.#certificate(distinguishedName(name), publicKey, [extension('551d11', names)])
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  #certificate(subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): string {
    const body = sequence(
      der(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ECDSA_WITH_SHA256,
      this.#name,
      sequence(utcTime('250101000000Z'), utcTime('491231235959Z')),
      subject,
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    )
    const signature = sign('sha256', body, this.#key)
    const all = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
    const lines = all.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  }
}

/** One value of ASN.1 in its distinguished encoding. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)
const integer = (bytes: Buffer): Buffer => der(0x02, bytes)
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text))
const ECDSA_WITH_SHA256 = sequence(identifier('2a8648ce3d040302'))

/** One common name. */
function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(name)))))
}

function extension(hex: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [Buffer.from('0101ff', 'hex')] : []
  return sequence(identifier(hex), ...critical, der(0x04, value))
}

/** TLS in front of a plain server on loopback. */
export interface TlsFront {
  readonly port: number
  /** Connections that came through the handshake. */
  accepted(): number
  stop(): Promise<void>
}

export async function startTlsFront(target: number, options: TlsOptions): Promise<TlsFront> {
  let accepted = 0
  const open = new Set<{ destroy(): void }>()
  const server = createServer(options, (secure) => {
    accepted++
    const plain = connect(target, LOOPBACK)
    for (const socket of [secure, plain]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        open.delete(socket)
        secure.destroy()
        plain.destroy()
      })
    }
    secure.pipe(plain).pipe(secure)
  })
  // Who trusts another authority ends the handshake.
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
