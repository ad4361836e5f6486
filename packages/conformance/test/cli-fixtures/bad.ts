import { createMemoryBackend, written, type Backend } from '@holdfast/core'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'

const subject: BackendSubject = defineBackend({ name: 'bad', create: () => writeOnce(createMemoryBackend()) })
export default subject

function writeOnce(inner: Backend): Backend {
  return {
    ...inner,
    async set(key, value) {
      await inner.set(key, value, { ifAbsent: true })
      return written
    },
  }
}
