import { createMemoryBackend } from '@holdfast/core'
import { defineBackend, runConformance, type BackendSubject } from '@holdfast/conformance'
import { expect, it } from 'vitest'

const only = 'stores a value of 8 MB'
const small = defineBackend({
  name: 'up to 2 MB',
  // An entry takes more than its value.
  create: () => createMemoryBackend({ maxBytes: 2 * 1024 ** 2 + 4_096 }),
})

async function status(subject: BackendSubject): Promise<unknown> {
  return (await runConformance(subject, { only })).checks.find(({ name }) => name.includes(only))?.status
}

it('stores no more than the subject says that a backend takes', async () => {
  expect(await status(small)).toBe('failed')
  expect(await status(defineBackend({ ...small, limits: { value: 2 * 1024 ** 2 } }))).toBe('passed')
  expect(await status(defineBackend({ ...small, limits: { value: 2 * 1024 ** 2 + 4_097 } }))).toBe('failed')
})
