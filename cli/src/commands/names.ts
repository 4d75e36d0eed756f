import type { Command } from 'commander'
import { namesLines, type NamesView } from '../render/names.js'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface NamesOptions extends GlobalOptions {
  readonly all?: boolean
}

export function addNames(program: Command, context: Context): void {
  program
    .command('names')
    .description('event and attribute names that a workspace was sent, and doubtful ones')
    .argument('<app-id>', 'the workspace')
    .option('--all', 'list every name, not only doubtful ones')
    .addHelpText(
      'after',
      "\nShows how near a workspace is to MoEngage's bounds, beyond which new names are blocked in silence.\n\nExamples:\n  relay names DEMO\n  relay names DEMO --all",
    )
    .action(async (appId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<NamesOptions>()
      const path = `/admin/workspaces/${encodeURIComponent(appId)}/names`
      const text = await context.api(options).text('GET', path)
      if (options.json) context.terminal.out(text)
      else {
        const lines = namesLines(JSON.parse(text) as NamesView, options.all === true)
        for (const line of lines) context.terminal.out(line)
      }
    })
}
