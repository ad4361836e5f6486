// Runs benchmarks one after the other, each in a process of its own, from the sources. `--only=funnel` runs one of them,
// `--only=caches` all of that folder.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const benchmarks = [
  ...['funnel', 'express', 'continuity', 'memory', 'codecs'],
  ...['caches/near', 'caches/primary', 'caches/stampede', 'caches/zipf', 'caches/staleness'],
]
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = benchmarks.filter((name) => !values.only || name.split('/').includes(values.only))
if (chosen.length === 0) {
  const names = [...new Set(benchmarks.flatMap((name) => name.split('/')))]
  console.error(`--only must be one of ${names.join(', ')}; got ${JSON.stringify(values.only)}`)
  process.exit(2)
}
for (const name of chosen) {
  const file = new URL(`${name}.ts`, import.meta.url).pathname
  const { status } = spawnSync(process.execPath, ['--conditions=@holdfast/source', '--expose-gc', file], {
    stdio: 'inherit',
  })
  process.exitCode ||= status ?? 1
}
