import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit.js'
import { Display, deliverySeconds } from '../import/display.js'
import { importFile, type ImportResult } from '../import/importer.js'
import type { WorkspaceView } from '../render/status.js'
import { count, counted, duration } from '../render/table.js'
import { intakeUrlFrom, keptCredentials, type GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface ImportCommandOptions extends GlobalOptions {
  readonly appId?: string
  readonly secret?: string
  readonly intakeUrl?: string
  readonly restart?: boolean
}

export function addImport(program: Command, context: Context): void {
  program
    .command('import')
    .description('send a file of elements, one JSON object per line, to the backfill lane')
    .argument('<file>', 'FILE.ndjson or FILE.ndjson.gz')
    .option('--app-id <id>', 'the workspace; default: MOENGAGE_APP_ID')
    .option(
      '--secret <secret>',
      "a producer's secret; the process list shows it: set RELAY_PRODUCER_SECRET instead",
    )
    .option('--intake-url <url>', 'the intake; default: RELAY_INTAKE_URL or http://127.0.0.1:8080')
    .option('--restart', 'ignore FILE.checkpoint and begin at line 1; may store lines twice')
    .addHelpText(
      'after',
      '\nCtrl-C stops it after the current request; the same command resumes (FILE.checkpoint).\nIf the checkpoint does not fit the file or the workspace, it stops: see --restart.\nRefused lines are listed in FILE.refused.ndjson.\n\nExample:\n  relay import users.ndjson.gz --app-id DEMO',
    )
    .action(async (file: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<ImportCommandOptions>()
      const { result, deliveredPerSecond } = await run(context, file, options)
      if (options.json) context.terminal.out(JSON.stringify(result))
      else await tell(context, options, result, deliveredPerSecond)
      if (result.outcome === 'unavailable') context.fail(EXIT.unavailable)
      else if (result.outcome === 'stopped' || result.rejected > 0) context.fail(EXIT.wrong)
    })
}

async function run(context: Context, file: string, options: ImportCommandOptions) {
  const { env, terminal, clock, sleep } = context
  const appId = options.appId ?? env.MOENGAGE_APP_ID
  const secret = options.secret ?? env.RELAY_PRODUCER_SECRET ?? keptCredentials().producerSecret
  const intakeUrl = intakeUrlFrom(options.intakeUrl, env)
  if (!appId)
    throw new CommandError(EXIT.usage, 'The workspace is missing.', 'Add --app-id APP_ID.')
  if (!secret) {
    throw new CommandError(
      EXIT.usage,
      'The producer secret is missing.',
      'Set RELAY_PRODUCER_SECRET.',
    )
  }
  await checkFile(file)
  const stop = context.interrupted()
  const isLive = terminal.isLive && options.json !== true
  const view = () => workspaceView(context, options, appId)
  const display = new Display({ terminal, clock, view, isLive, isQuiet: options.json === true })
  try {
    const result = await importFile({
      file,
      target: { intakeUrl, appId, secret },
      ...{ clock, sleep, stopped: stop.asked, restart: options.restart === true },
      show: (progress) => display.show(progress),
      waits: (why) => display.waits(why),
    })
    return { result, deliveredPerSecond: display.deliveredPerSecond }
  } finally {
    stop.release()
    if (isLive) terminal.note('')
  }
}

/** Before anything is written beside it. */
async function checkFile(file: string): Promise<void> {
  const problem = await stat(file).then(
    (found) => (found.isDirectory() ? 'EISDIR' : null),
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown',
  )
  if (problem === null) return
  if (problem === 'ENOENT') throw new CommandError(EXIT.usage, `No such file: ${file}.`)
  const why = problem === 'EISDIR' ? 'is a directory' : `cannot be read (${problem})`
  throw new CommandError(
    EXIT.usage,
    `${file} ${why}.`,
    'Give one file: FILE.ndjson or FILE.ndjson.gz',
  )
}

async function tell(
  context: Context,
  options: ImportCommandOptions,
  result: ImportResult,
  deliveredPerSecond: number | null,
) {
  const out = (line: string): void => context.terminal.out(line)
  if (result.resumedAt > 0) out(`Resumed after line ${count(result.resumedAt)}.`)
  out(`${counted(result.accepted, 'line')} accepted, ${count(result.rejected)} refused.`)
  if (result.rejected > 0) out(`Refused lines: ${result.report}`)
  if (result.outcome !== 'done') {
    const why = result.outcome === 'stopped' ? 'Stopped' : 'relay has no room or does not answer'
    out(`${why} after line ${count(result.lines)}. Next: run the same command to resume.`)
    return
  }
  const view = await workspaceView(context, options, result.appId)
  const eta = view === null ? null : deliverySeconds(view, 0, deliveredPerSecond)
  if (eta !== null) out(`MoEngage will have them in about ${duration(eta)}.`)
}

/** The workspace as the operator API shows it; null without access to it. */
async function workspaceView(
  { api }: Context,
  options: GlobalOptions,
  appId: string,
): Promise<WorkspaceView | null> {
  const path = '/admin/workspaces'
  const answer = await api(options)
    .json<{ workspaces: WorkspaceView[] }>('GET', path)
    .catch(() => null)
  return answer?.workspaces.find(({ app_id }) => app_id === appId) ?? null
}
