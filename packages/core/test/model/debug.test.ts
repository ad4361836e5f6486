import { it, vi } from 'vitest'
import { run } from './run.ts'
vi.mock('lru-cache', async (importOriginal) => (await import('./small-caches.ts')).withSmallCaches(await importOriginal()))
it('x', async () => {
  const schedule = JSON.parse(process.env['SCHEDULE']!)
  await run(schedule, (b) => ({ ...b, set: async (k, v, o) => { const r = await b.set(k, v, o); if (!k.includes('probe')) console.log('set', k, JSON.stringify(o), Buffer.from(v).toString('latin1').slice(-60), JSON.stringify(r)?.slice(0,40)); return r }, get: async (k) => { const r = await b.get(k); if (!k.includes('probe')) console.log('get', k, r && Buffer.from(r).toString('latin1').slice(-60)); return r } }))
})
