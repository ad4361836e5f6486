import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['@holdfast/source']

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
    // Most tests wait for Redis, not for a processor.
    maxWorkers: 4,
    maxConcurrency: 3,
    projects: [
      project('core'),
      project('session-express'),
      project('session-fastify'),
      project('cache-nestjs'),
      project('conformance'),
      project('keyv'),
      { extends: true, test: { name: 'test-fixtures', include: ['test-fixtures/test/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'workspace',
          include: [
            'scripts/test/**/*.test.ts',
            'examples/*/test/**/*.test.ts',
            'benchmarks/test/**/*.test.ts',
          ],
        },
      },
    ],
  },
})

function project(name: string) {
  return { extends: true as const, test: { name, include: [`packages/${name}/test/**/*.test.ts`] } }
}
