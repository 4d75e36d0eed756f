import type { Command } from 'commander'
import { traceLines, type TraceView } from '../render/trace.js'
import type { GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

export function addTrace(program: Command, context: Context): void {
  program
    .command('trace')
    .description('where the elements of a request are now: queued, sent or dead-lettered')
    .argument('<request_id>', 'from the answer of the intake')
    .addHelpText('after', '\nExample:\n  relay trace 01JDBX3K5NPQRS000000000000')
    .action(async (requestId: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      const path = `/admin/requests/${encodeURIComponent(requestId)}`
      const text = await context.api(options).text('GET', path)
      if (options.json) context.terminal.out(text)
      else for (const line of traceLines(JSON.parse(text) as TraceView)) context.terminal.out(line)
    })
}
