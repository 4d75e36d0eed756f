import type { Command } from 'commander'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface AuditOptions extends GlobalOptions {
  readonly limit: string
}

interface Audit {
  readonly actions: readonly Readonly<Record<string, unknown>>[]
}

export function addAudit(program: Command, context: Context): void {
  program
    .command('audit')
    .description('what operators changed, newest first')
    .option('--limit <n>', 'maximum number, up to 1000', '50')
    .addHelpText('after', '\nExample:\n  relay audit --limit 10')
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<AuditOptions>()
      const path = `/admin/audit?limit=${encodeURIComponent(options.limit)}`
      const text = await context.api(options).text('GET', path)
      if (options.json) context.terminal.out(text)
      else
        for (const line of (JSON.parse(text) as Audit).actions.map(lineOf))
          context.terminal.out(line)
    })
}

function lineOf({ at, action, ...rest }: Readonly<Record<string, unknown>>): string {
  const facts = Object.entries(rest).filter(([, value]) => value !== null)
  const words = facts.map(([name, value]) => `${name}=${String(value)}`)
  return [at, action, ...words].map(String).join('  ')
}
