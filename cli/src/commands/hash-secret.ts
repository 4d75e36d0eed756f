import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { hashSecret } from '@relay/shared/config/secret.js'
import { CommandError, EXIT } from '../exit.js'
import type { Context } from './context.js'

const SALT_BYTES = 12

export function addHashSecret(program: Command, { terminal }: Context): void {
  program
    .command('hash-secret')
    .description('print the hash of a secret for RELAY_PRODUCERS or RELAY_ADMIN_TOKEN')
    .addHelpText(
      'after',
      '\nReads the secret from standard input, because ps shows arguments. Use long random secrets: a\nhash does not protect a secret that can be guessed.\n\nExample:\n  openssl rand -base64 24 | tee secret | relay hash-secret',
    )
    .action(async () => {
      const secret = (await terminal.input()).replace(/\r?\n$/, '')
      if (secret === '') {
        throw new CommandError(EXIT.usage, 'The secret is missing.', 'Write it to standard input.')
      }
      terminal.out(hashSecret(secret, randomBytes(SALT_BYTES).toString('hex')))
    })
}
