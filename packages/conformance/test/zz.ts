import { runConformance, formatReport, prefixed, enveloped } from '../src/index.ts'
import { frozenRedisSubject, memorySubject, overNodeRedis, redisSubject } from './real-subjects.ts'
import { startRedis } from '@holdfast-internal/test-fixtures'
const redis = await startRedis()
const w = process.argv[2]
const s = w==='memory'? memorySubject() : w==='node'? await redisSubject('node', redis, overNodeRedis): w==='frozen' ? await frozenRedisSubject('frozen', redis) : w==='enc' ? enveloped(await redisSubject('Redis', redis), { name: 'encrypted', encryption: { keys: [Buffer.alloc(32,1)] } }) : await redisSubject('io', redis)
const r = await runConformance(s, {only: process.argv[3] ?? ''})
console.log(formatReport(r).split('\n').filter(l=>/FAILED|promises|checks in/.test(l)).join('\n'))
for (const c of r.checks) if (c.status==='failed' && !/not reached/.test(String(c.error))) console.log(c.name, c.fault, c.state, (c.error as Error).stack?.split('\n').slice(0,9).join('\n'))
await redis.stop()
