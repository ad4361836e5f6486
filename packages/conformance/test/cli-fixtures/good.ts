import { createMemoryBackend } from '@holdfast/core'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'

export default (): BackendSubject => defineBackend({ name: 'good', create: () => createMemoryBackend() })
