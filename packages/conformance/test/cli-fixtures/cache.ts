import { createHoldfast } from '@holdfast/core'
import { defineCache, type CacheSubject } from '@holdfast/conformance'

const holdfast = createHoldfast({ redis: 'memory', logger: false })

const subject: CacheSubject = defineCache({
  name: 'good cache',
  create: (space) => holdfast.cache({ prefix: `${space}:` }),
  close: async () => undefined,
  grace: true,
  stop: () => holdfast.close(),
})
export default subject
