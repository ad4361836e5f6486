import { Redis } from 'ioredis'
import { port } from './my-proxy.ts'

export const redis: Redis = new Redis(port, '127.0.0.1')
