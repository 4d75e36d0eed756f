import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { ROOT } from '@relay/tools/folders.js'
import { changed } from '../../support/variant.js'
import { MUTANTS } from './mutants.js'

describe('what is broken on purpose', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s is still there to be broken',
    async (name, { changes }) => {
      expect(changes.length).toBeGreaterThan(0)
      for (const change of changes) {
        const text = await readFile(join(ROOT, change.file), 'utf8')
        const broken = changed(name, text, change)
        expect(broken).not.toBe(text)
        if (change.file.endsWith('.js')) expect(syntaxErrors(broken)).toEqual([])
      }
    },
  )
})

function syntaxErrors(text: string): unknown[] {
  const { diagnostics = [] } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext },
  })
  return diagnostics.map(({ messageText }) => messageText)
}
