import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { hashSecret } from '@relay/shared/config/secret.js'
import { CommandError, EXIT } from '../exit.js'
import type { Context } from './context.js'

const SALT_BYTES = 12

export function addHashSecret(program: Command, { terminal }: Context): void {
  program
    .command('hash-secret')
    .description('the form in which a secret can stand in RELAY_PRODUCERS or RELAY_ADMIN_TOKEN')
    .addHelpText(
      'after',
      '\nThe secret is read from standard input, as ps shows arguments. Make strong ones: what a hash\nprotects is a secret that nobody can guess.\n\nExample:\n  openssl rand -base64 24 | tee secret | relay hash-secret',
    )
    .action(async () => {
      const secret = (await terminal.input()).replace(/\r?\n$/, '')
      if (secret === '') {
        throw new CommandError(EXIT.usage, 'There is no secret.', 'Write it to standard input.')
      }
      terminal.out(hashSecret(secret, randomBytes(SALT_BYTES).toString('hex')))
    })
}
