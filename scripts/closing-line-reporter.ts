import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Prints `N passed, N failed, N skipped` alone on the last line, so that a run's outcome can be read by a machine. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) count[outcomeOf(test)]++
      // A file or suite that failed outside its tests (an import, a hook) must not look green.
      if (module.state() === 'failed' && !tests.some((test) => outcomeOf(test) === 'failed')) count.failed++
    }
    const line = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`
    // Vitest's own summary is printed in the same turn; this line is to be the last one.
    process.on('exit', () => process.stdout.write(line))
  }
}

function outcomeOf(test: TestCase): 'passed' | 'failed' | 'skipped' {
  const { state } = test.result()
  return state === 'pending' ? 'skipped' : state
}
