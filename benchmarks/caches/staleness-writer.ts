// Writes the next version as soon as it is asked for, and notes when Redis acknowledged it.
import { createHoldfast } from '@holdfast/core'
import { workerData } from 'node:worker_threads'

const { url, writes, acknowledged, asked } = workerData as {
  readonly url: string
  readonly writes: number
  readonly acknowledged: BigInt64Array
  readonly asked: Int32Array
}
const holdfast = createHoldfast({ redis: url, logger: false })
const cache = holdfast.cache({ ttl: '1h' })
await holdfast.ready()
for (let version = 1; version <= writes; version++) {
  while (Atomics.load(asked, 0) < version) await Atomics.waitAsync(asked, 0, version - 1).value
  await cache.set('foreign', version)
  Atomics.store(acknowledged, version, process.hrtime.bigint())
}
await holdfast.close()
