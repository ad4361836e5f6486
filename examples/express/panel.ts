import type { HoldfastSession } from '@holdfast/session-express'
import { Router } from 'express'
import type { DemoRedis } from './demo-redis.ts'

/** What only the demo has: a look at Redis, and the buttons that break it. No session is needed for it. */
export function createPanel(redis: DemoRedis, holdfast: HoldfastSession['holdfast']): Router {
  const { description, isBreakable } = redis
  const log: { at: number; text: string }[] = []
  holdfast.on('transition', ({ to, fault, lasted }) => {
    log.unshift({ at: Date.now(), text: describe(to, fault, lasted) })
    log.length = Math.min(log.length, 30)
  })

  const panel = Router()
  // It is asked every half second, and costs Redis nothing.
  panel.get('/state', (_req, res) => {
    const { state, backend, since, degraded, fault, counts, memory } = holdfast.health()
    res.json({
      state,
      backend,
      since,
      degraded,
      fault,
      counts,
      memory,
      log,
      redis: { description, isBreakable },
    })
  })
  panel.post('/redis/:action', (req, res, next) => {
    if (!isBreakable) return void res.status(403).json({ error: 'This Redis is not the demo’s to break.' })
    const { action } = req.params
    redis.act(action).then((isKnown) => res.status(isKnown ? 200 : 404).json({ action }), next)
  })
  return panel
}

function describe(
  to: string,
  fault: { code: string; hint: string | undefined } | undefined,
  lasted: number,
): string {
  if (to === 'degraded') return `degraded: ${fault?.code ?? ''}${fault?.hint ? `, ${fault.hint}` : ''}`
  return to === 'healthy'
    ? `healthy, after settling for ${lasted} ms`
    : `Redis answers after ${(lasted / 1000).toFixed(1)} s; settling`
}
