import type { Command } from 'commander'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

export function addPauseAndResume(program: Command, context: Context): void {
  add(
    'pause',
    'stop sending to a workspace; posts are still accepted and nothing is lost',
    'is paused',
  )
  add('resume', 'resume sending to a paused workspace', 'is resumed')

  function add(action: string, description: string, done: string): void {
    program
      .command(action)
      .description(description)
      .argument('<app_id>', 'the workspace')
      .addHelpText('after', `\nExample:\n  relay ${action} DEMO`)
      .action(async (appId: string, _own: unknown, command: Command) => {
        const options = command.optsWithGlobals<GlobalOptions>()
        const path = `/admin/workspaces/${encodeURIComponent(appId)}/${action}`
        const text = await context.api(options).text('POST', path)
        context.terminal.out(options.json ? text : `${appId} ${done}.`)
      })
  }
}
