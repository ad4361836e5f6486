// Checks every published package as its users will meet it: publint and attw on the packed tarball.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const tarballs = mkdtempSync(join(tmpdir(), 'holdfast-pack-'))

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: 'inherit' })
}

try {
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const folder = join(root, 'packages', name)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (manifest.private) continue
    run('pnpm', ['pack', '--pack-destination', tarballs], folder)
    run('publint', ['--strict'], folder)
  }
  for (const tarball of readdirSync(tarballs)) {
    run('attw', [join(tarballs, tarball), '--profile', 'esm-only'], root)
  }
} finally {
  rmSync(tarballs, { recursive: true, force: true })
}
