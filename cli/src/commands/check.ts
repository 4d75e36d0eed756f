import type { Command } from 'commander'
import { checkConfiguration, environmentToCheck } from '../check/configuration.js'
import type { Finding } from '../check/finding.js'
import { checkCredentials, checkReachability } from '../check/moengage.js'
import { checkRedis } from '../check/redis.js'
import { EXIT } from '../exit.js'
import { runningEnvironment, type GlobalOptions } from '../settings.js'
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
      const findings = await runChecks(context, options.credentials ?? false)
      if (options.json) context.terminal.out(JSON.stringify({ findings }))
      else for (const line of findingLines(findings)) context.terminal.out(line)
      if (findings.some(({ level }) => level === 'failed')) context.fail(EXIT.wrong)
    })
}

async function runChecks({ env, clock }: Context, withCredentials: boolean): Promise<Finding[]> {
  const { findings, config, workspaces } = checkConfiguration(
    environmentToCheck(env, runningEnvironment()),
  )
  if (config === null) return [...findings]
  const [redis, ...moengage] = await Promise.all([
    checkRedis(config, clock),
    ...workspaces.map(checkReachability),
    ...(withCredentials ? workspaces.map((each) => checkCredentials(each, config.vendorCa)) : []),
  ])
  return [...findings, ...redis, ...moengage]
}

function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ what }) => what.length))
  const lines = findings.flatMap(({ level, what, detail, remedy }) => [
    `${SIGNS[level]}  ${what.padEnd(width)}  ${detail}`,
    ...(remedy === null ? [] : [`      ${' '.repeat(width)}  Next: ${remedy}`]),
  ])
  const wrong = findings.filter(({ level }) => level === 'failed').length
  return [...lines, '', wrong === 0 ? 'relay can run.' : `${String(wrong)} checks failed.`]
}
