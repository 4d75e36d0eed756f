import type { Command } from 'commander'
import type { GlobalOptions } from '../settings.js'
import { show, workspacePath, type Context } from './context.js'

/** `pause` and `resume`. */
const SWITCHES = [
  ['pause', 'stop sending to a workspace; posts are still accepted and nothing is lost', 'paused'],
  ['resume', 'resume sending to a paused workspace', 'resumed'],
] as const

export function addPauseAndResume(program: Command, context: Context): void {
  for (const [action, description, done] of SWITCHES) {
    program
      .command(action)
      .description(description)
      .argument('<app_id>', 'the workspace')
      .addHelpText('after', `\nExample:\n  relay ${action} DEMO`)
      .action(async (appId: string, _own: unknown, command: Command) => {
        const options = command.optsWithGlobals<GlobalOptions>()
        const path = workspacePath(appId, action)
        await show(context, options, ['POST', path], () => [`${appId} is ${done}.`])
      })
  }
}
