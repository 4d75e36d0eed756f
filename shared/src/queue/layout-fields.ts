import type { WorkspaceMode } from '../config/workspace.js'

/** A number of partitions that a workspace has or had. */
export interface Generation {
  readonly generation: number
  readonly partitions: number
  /** Mode in which their elements were accepted. */
  readonly mode: WorkspaceMode
}

export interface Layout extends Generation {
  /** Partitions wanted next; the present generation is being closed for it. */
  readonly next: number | null
  /** Older generations that may still have elements, oldest first: they are served first. */
  readonly draining: readonly Generation[]
  /** Closed in the last two days, oldest first: a post that is repeated may be stored there. */
  readonly previous: readonly Omit<Generation, 'mode'>[]
}

/** In the order in which the script answers. */
export const LAYOUT_FIELDS = [
  'generation',
  'partitions',
  'next',
  'draining',
  'mode',
  'previous',
] as const

/** From `LAYOUT_FIELDS`, '' for none. */
export function layoutOf(fields: readonly string[]): Layout {
  const [generation = '0', partitions = '1', next = '', draining = '', mode = '', previous = ''] =
    fields
  return {
    generation: Number(generation),
    partitions: Number(partitions),
    mode: modeOf(mode),
    next: next === '' ? null : Number(next),
    draining: listOf(draining).map(parseGeneration),
    previous: listOf(previous).map((text) => {
      const [number, count] = text.split(':')
      return { generation: Number(number), partitions: Number(count) }
    }),
  }
}

function listOf(text: string): string[] {
  return text === '' ? [] : text.split(',')
}

/** See the key `draining` in lua/layout.lua. */
function parseGeneration(text: string): Generation {
  const [generation, partitions, mode] = text.split(':')
  return { generation: Number(generation), partitions: Number(partitions), mode: modeOf(mode) }
}

function modeOf(text: string | undefined): WorkspaceMode {
  return text === 'shadow' ? 'shadow' : 'live'
}
