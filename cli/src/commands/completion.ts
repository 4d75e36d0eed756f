import { Argument, type Command } from 'commander'
import type { Context } from './context.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export function addCompletion(program: Command, { terminal }: Context): void {
  program
    .command('completion')
    .description('print a shell completion script')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(relay completion bash)\n  relay completion fish > ~/.config/fish/completions/relay.fish',
    )
    .action((shell: (typeof SHELLS)[number]) =>
      terminal.out(shell === 'fish' ? fishScript(program) : bashScript(program, shell === 'zsh')),
    )
}

/** Words that may follow a command: its subcommands and options. */
function wordsOf(command: Command): string[] {
  const options = command.options.flatMap(({ long }) => (long ? [long] : []))
  return [...command.commands.map((sub) => sub.name()), ...options, '--help']
}

function bashScript(program: Command, isZsh: boolean): string {
  const cases = withPaths(program).map(
    ([path, command]) => `    '${path}') words='${wordsOf(command).join(' ')}' ;;`,
  )
  return [
    ...(isZsh ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_relay() {',
    "  local path='' words='' i",
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "${COMP_WORDS[i]}" in -*) ;; *) path="$path ${COMP_WORDS[i]}" ;; esac',
    '  done',
    '  case "${path# }" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -F _relay relay',
  ].join('\n')
}

function fishScript(program: Command): string {
  const lines = withPaths(program).flatMap(([path, command]) => {
    const at =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return [
      ...command.commands.map(
        (sub) => `complete -c relay -f -n '${at}' -a ${sub.name()} -d "${sub.description()}"`,
      ),
      ...command.options.flatMap(({ long }) =>
        long ? [`complete -c relay -f -n '${at}' -l ${long.slice(2)}`] : [],
      ),
    ]
  })
  return lines.join('\n')
}

function withPaths(program: Command): [string, Command][] {
  const below = (command: Command, path: string): [string, Command][] => [
    [path, command],
    ...command.commands.flatMap((sub) => below(sub, `${path} ${sub.name()}`.trim())),
  ]
  return below(program, '')
}
