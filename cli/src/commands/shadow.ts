import type { Command } from 'commander'
import { shadowLines, type ShadowView } from '../render/shadow.js'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface ShadowOptions extends GlobalOptions {
  readonly reset?: boolean
}

export function addShadow(program: Command, context: Context): void {
  program
    .command('shadow')
    .description('show what a workspace in shadow refused, warned about and would have sent')
    .argument('<app-id>', 'the workspace')
    .option('--reset', 'delete the report and start a new one')
    .addHelpText(
      'after',
      '\nA workspace is in shadow with "mode": "shadow" in the workspaces file.\n\nExamples:\n  relay shadow DEMO\n  relay shadow DEMO --reset',
    )
    .action(async (appId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ShadowOptions>()
      const path = `/admin/workspaces/${encodeURIComponent(appId)}/shadow`
      const api = context.api(options)
      if (options.reset) await api.text('DELETE', path)
      const text = await api.text('GET', path)
      if (options.json) context.terminal.out(text)
      else
        for (const line of shadowLines(JSON.parse(text) as ShadowView)) context.terminal.out(line)
    })
}
