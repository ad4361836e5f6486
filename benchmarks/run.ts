// Runs the benchmarks one after the other, each in a process of its own, from the sources. `--only=funnel` runs one.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const benchmarks = ['funnel', 'express', 'continuity', 'memory', 'codecs']
const { values } = parseArgs({ options: { only: { type: 'string' } } })
if (values.only && !benchmarks.includes(values.only)) {
  console.error(`--only must be one of ${benchmarks.join(', ')}; got ${JSON.stringify(values.only)}`)
  process.exit(2)
}
for (const name of benchmarks.filter((benchmark) => !values.only || benchmark === values.only)) {
  const file = new URL(`${name}.ts`, import.meta.url).pathname
  const { status } = spawnSync(process.execPath, ['--conditions=@holdfast/source', '--expose-gc', file], {
    stdio: 'inherit',
  })
  process.exitCode ||= status ?? 1
}
