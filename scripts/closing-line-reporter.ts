import type { Reporter, TestCase, TestModule } from 'vitest/node'

/**
 * Prints `N passed, N failed, N skipped` alone on the last line, so that a run's outcome can be read by a machine; and before it
 * what went wrong with tests that passed on another try, or nobody would learn why.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        count[outcomeOf(test)]++
        tellOfRetries(test)
      }
      // A file or suite that failed outside its tests (an import, a hook) must not look green.
      if (module.state() === 'failed' && !tests.some((test) => outcomeOf(test) === 'failed')) count.failed++
    }
    const line = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`
    // Vitest's own summary is printed in the same turn; this line is to be the last one.
    process.on('exit', () => process.stdout.write(line))
  }
}

function tellOfRetries(test: TestCase): void {
  const retries = test.diagnostic()?.retryCount ?? 0
  if (retries === 0 || outcomeOf(test) !== 'passed') return
  const [first] = test.result().errors ?? []
  console.log(`\npassed on try ${retries + 1}: ${test.module.relativeModuleId} > ${test.fullName}`)
  const lines = (first?.stack ?? first?.message ?? '').split('\n')
  console.log(lines.filter((line) => !line.includes('node_modules')).join('\n'))
}

function outcomeOf(test: TestCase): 'passed' | 'failed' | 'skipped' {
  const { state } = test.result()
  return state === 'pending' ? 'skipped' : state
}
