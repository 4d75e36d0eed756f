import type { Command } from 'commander'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { checkConfiguration, comparedWith, environmentToCheck } from '../check/configuration.js'
import type { Finding } from '../check/finding.js'
import { checkCredentials, checkReachability } from '../check/moengage.js'
import { checkRedis } from '../check/redis.js'
import { EXIT } from '../exit.js'
import { counted } from '../render/table.js'
import { accessFrom, runningEnvironment, type GlobalOptions } from '../settings.js'
import type { Context } from './context.js'

interface CheckOptions extends GlobalOptions {
  readonly credentials?: boolean
}

const SIGNS: Readonly<Record<Finding['level'], string>> = { ok: 'ok  ', warning: 'warn', failed: 'FAIL' } // prettier-ignore

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .description('check configuration, Redis and MoEngage with the settings of the services')
    .option('--credentials', "try each workspace's key at MoEngage's test endpoint")
    .addHelpText(
      'after',
      '\nReads the same environment as the services; without any MOENGAGE_* it checks a running npm start.\n\nExamples:\n  relay check\n  relay check --credentials --json',
    )
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<CheckOptions>()
      const { findings, isFaulty } = await runChecks(context, options)
      if (options.json) context.terminal.out(JSON.stringify({ findings }))
      else for (const line of findingLines(findings)) context.terminal.out(line)
      if (isFaulty) context.fail(EXIT.config)
      else if (findings.some(({ level }) => level === 'failed')) context.fail(EXIT.wrong)
    })
}

interface Checked {
  readonly findings: readonly Finding[]
  /** The services would not start with this configuration. */
  readonly isFaulty: boolean
}

async function runChecks(context: Context, options: CheckOptions): Promise<Checked> {
  const { env, clock } = context
  const withCredentials = options.credentials ?? false
  const {
    findings: own,
    isFaulty,
    config,
    workspaces,
  } = checkConfiguration(environmentToCheck(env, runningEnvironment()))
  // Of a faulty configuration the workspaces are not known.
  const others = isFaulty ? [] : await differences(context, options, workspaces)
  const findings = [...own, ...others]
  if (config === null) return { findings, isFaulty }
  // Without its key, nothing is sent from here.
  const keyed = workspaces.filter(({ apiKey }) => apiKey !== '')
  const [redis, ...moengage] = await Promise.all([
    checkRedis(config, clock),
    ...keyed.map((each) => checkReachability(each, config.vendorCa)),
    ...(withCredentials ? keyed.map((each) => checkCredentials(each, config.vendorCa)) : []),
  ])
  return { findings: [...findings, ...redis, ...moengage], isFaulty }
}

/** What a running api serves otherwise; nothing if none can be asked. */
async function differences(
  context: Context,
  options: CheckOptions,
  workspaces: readonly Workspace[],
) {
  try {
    const { url } = accessFrom(options, context.env)
    const served = await context.api(options).json<Served>('GET', '/admin/workspaces')
    const ids = served.workspaces.map(({ app_id: id }) => id)
    return comparedWith(ids, workspaces.map(({ appId }) => appId), url) // prettier-ignore
  } catch {
    return []
  }
}

interface Served {
  readonly workspaces: readonly { readonly app_id: string }[]
}

function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ what }) => what.length))
  const lines = findings.flatMap(({ level, what, detail, remedy }) => [
    `${SIGNS[level]}  ${what.padEnd(width)}  ${detail}`,
    ...(remedy === null ? [] : [`      ${' '.repeat(width)}  Next: ${remedy}`]),
  ])
  const wrong = findings.filter(({ level }) => level === 'failed').length
  return [...lines, '', wrong === 0 ? 'relay can run.' : `${counted(wrong, 'check')} failed.`]
}
