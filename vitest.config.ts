import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { SpreadSequencer } from './scripts/spread-sequencer.ts'

const conditions = ['@holdfast/source']
/** What puts something in a module's place, or computes for long: in processes of their own, which step back for the others. */
const alone = [
  'packages/core/test/model/mutants.test.ts',
  'packages/core/test/envelope-fuzz.test.ts',
  'packages/keyv/test/create-keyv.test.ts',
]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', './scripts/closing-line-reporter.ts'],
    testTimeout: 15_000,
    hookTimeout: 15_000,
    // Real faults take real time, and CI machines are shared: a test gets a second try there, and the report says so.
    retry: process.env['CI'] ? 1 : 0,
    // Test files and the processes that they start are many, and load the same code.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    // To load the same code anew for each file takes a tenth of the time.
    isolate: false,
    // Most tests wait for Redis, not for a processor.
    maxWorkers: 4,
    maxConcurrency: 3,
    sequence: { sequencer: SpreadSequencer },
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          isolate: true,
          setupFiles: './scripts/low-priority.ts',
          // Who steps back may have to wait.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['{packages/*,examples/*,benchmarks,scripts,test-fixtures}/test/**/*.test.ts'],
          exclude: alone,
        },
      },
    ],
  },
})
