// my-backend.conformance.ts
import { defineBackend } from '@holdfast/conformance'
import { createMyBackend } from './my-backend.ts'
import { proxy } from './my-proxy.ts'

export default defineBackend({
  name: 'my backend',
  create: () => createMyBackend({ port: proxy.port }), // a fresh client on the same data
  fault: {
    cut: () => proxy.refuse(), // connections are reset, new ones refused
    hang: () => proxy.hold(), // connections stay and say nothing
    slow: () => proxy.delay(2_000),
    restore: () => proxy.restore(),
  },
})
