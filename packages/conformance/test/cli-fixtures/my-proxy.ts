import { startProxy, startRedis, type Proxy } from '@holdfast-internal/test-fixtures'

const redis = await startRedis()
/** The port of Redis itself. */
export const { port } = redis
export const proxy: Proxy = await startProxy(redis)
