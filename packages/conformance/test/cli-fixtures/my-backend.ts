import { redisBackendFrom, type Backend } from '@holdfast/core'

export function createMyBackend({ port }: { readonly port: number }): Backend {
  return redisBackendFrom({ host: '127.0.0.1', port })
}
