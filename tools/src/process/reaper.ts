import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/**
 * Reads "+ pid" and "- pid" lines. When its input ends, because the process that wrote them is
 * gone, however it went, it kills the process groups that are still on the list.
 */
const SCRIPT = `
list=" "
while read -r change pid; do
  case $change in
    +) list="$list$pid " ;;
    -) list="\${list%% $pid *} \${list#* $pid }" ;;
  esac
done
for pid in $list; do kill -s KILL -- "-$pid" 2>/dev/null; done
exit 0`

let reaper: Writable | null = null

function reaperInput(): Writable {
  if (reaper !== null) return reaper
  // A shell, because it starts at once and takes 1 MB; detached, so that Ctrl-C spares it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  const input = shell.stdin
  input.on('error', () => undefined)
  // A pipe to a child is a socket, which would keep this process alive.
  ;(input as Writable & { unref?: () => void }).unref?.()
  reaper = input
  return input
}

/** From now on this process group dies with the calling process, even when that is killed. */
export function dieWithParent(processGroup: number): void {
  reaperInput().write(`+ ${String(processGroup)}\n`)
}

/** The process group has ended; its number may be another's soon. */
export function hasEnded(processGroup: number): void {
  reaperInput().write(`- ${String(processGroup)}\n`)
}
