import { createMemoryBackend } from '@holdfast/core'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'

const subject: BackendSubject = defineBackend({
  name: 'astray',
  create() {
    const inner = createMemoryBackend()
    const ping = async (): Promise<void> => {
      void Promise.reject(new Error('nobody handles me'))
    }
    return { ...inner, ping }
  },
})
export default subject
