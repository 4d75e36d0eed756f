import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Copy, DockerfileParser, type Instruction } from 'dockerfile-ast'

/** What a stage leaves behind: its folder instead of the image's, and how its process starts. */
export interface Stage {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

/**
 * Runs the steps of a Dockerfile without a container engine: each stage is a folder that stands for
 * its WORKDIR, COPY copies, RUN runs in a shell. What it does not show: the base images themselves,
 * users, and anything outside of the WORKDIR.
 */
export class DockerfileRun {
  readonly #stages = new Map<string, { folder: string; env: Record<string, string> }>()
  readonly #commands = new Map<string, readonly string[]>()
  readonly #context: string
  readonly #target: string
  readonly #workdir: string

  constructor(text: string, options: { context: string; target: string; workdir: string }) {
    this.#context = options.context
    this.#target = options.target
    this.#workdir = options.workdir
    let stage = ''
    for (const instruction of DockerfileParser.parse(text).getInstructions()) {
      const words = instruction.getArguments().map((word) => word.getValue())
      if (instruction.getKeyword() === 'FROM') {
        stage = words[2] ?? ''
        this.#from(words[0] ?? '', stage)
      } else if (stage !== '') this.#step(stage, instruction, words)
      // Before the first stage there are only the names of base images.
      else if (instruction.getKeyword() !== 'ARG') throw new Error('a step before FROM')
    }
  }

  stage(name: string): Stage {
    const found = this.#stages.get(name)
    if (found === undefined) throw new Error(`no stage ${name}`)
    return { ...found, command: this.#commands.get(name) ?? [] }
  }

  /** A stage begins as a copy of the one it is built on. */
  #from(base: string, name: string): void {
    const folder = join(this.#target, name)
    mkdirSync(folder, { recursive: true })
    const before = this.#stages.get(base)
    if (before) cpSync(before.folder, folder, { recursive: true, verbatimSymlinks: true })
    this.#stages.set(name, { folder, env: { ...before?.env } })
  }

  #step(name: string, instruction: Instruction, words: readonly string[]): void {
    const stage = this.#stages.get(name)
    if (stage === undefined) throw new Error('a step before FROM')
    switch (instruction.getKeyword()) {
      case 'COPY':
        this.#copy(stage.folder, instruction, words)
        return
      case 'RUN':
        run(stage.folder, rawText(instruction))
        return
      case 'ENV':
        for (const word of words) stage.env[word.split('=')[0] ?? ''] = word.split('=')[1] ?? ''
        return
      case 'CMD':
        this.#commands.set(name, JSON.parse(rawText(instruction)) as string[])
        return
      case 'WORKDIR':
        if (words[0] !== this.#workdir) throw new Error(`another WORKDIR: ${words.join(' ')}`)
    }
  }

  #copy(folder: string, instruction: Instruction, words: readonly string[]): void {
    const from = instruction instanceof Copy ? instruction.getFromFlag()?.getValue() : undefined
    const target = words.at(-1) ?? ''
    for (const source of words.slice(0, -1)) {
      const name = target.endsWith('/') ? (source.split('/').at(-1) ?? '') : ''
      const to = join(folder, this.#relative(target), name)
      const isSent = (path: string) =>
        from !== undefined || !isIgnored(relative(this.#context, path))
      const path = from ? this.#inStage(from, source) : join(this.#context, source)
      cpSync(path, to, { recursive: true, verbatimSymlinks: true, filter: isSent })
    }
  }

  #inStage(name: string, path: string): string {
    return join(this.stage(name).folder, this.#relative(path))
  }

  /** Paths of the image lie under its WORKDIR. */
  #relative(path: string): string {
    return path.startsWith(this.#workdir) ? path.slice(this.#workdir.length) : path
  }

  remove(): void {
    rmSync(this.#target, { recursive: true, force: true })
  }
}

function rawText(instruction: Instruction): string {
  const text = instruction.getRawArgumentsContent()?.replaceAll(/\\\n\s*/g, '') ?? ''
  // Secrets of a build are not here.
  return text.replaceAll(/--mount=\S+\s*/g, '')
}

function run(cwd: string, command: string): void {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, npm_config_loglevel: 'error', npm_config_prefer_offline: 'true' }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, env })
  if (status !== 0) throw new Error(`${command}:\n${stdout.toString()}${stderr.toString()}`)
}

/** As `.dockerignore` says of what is within the folders that are sent at all. */
function isIgnored(path: string): boolean {
  return /(^|\/)(node_modules|dist|test)(\/|$)/.test(path)
}
