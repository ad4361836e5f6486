import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What begins first, by the beginning of its path; the rest comes after, as it would have come. */
const order = [
  'packages/conformance/',
  'benchmarks/test/scenarios.',
  'packages/core/',
  'benchmarks/test/chaos.',
  'packages/cache-nestjs/test/majors.',
  'packages/session',
  'benchmarks/test/cache-chaos.',
]

/**
 * Spreads the files that keep the processors busy over the run. By name they all are at its end, and make a machine of two
 * processors so slow that what runs beside them takes it for an outage.
 */
export class SpreadSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId, project }: TestSpecification): number => {
      const path = moduleId.slice(project.config.root.length + 1)
      const place = order.findIndex((beginning) => path.startsWith(beginning))
      return project.config.isolate ? -1 : place < 0 ? order.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}
