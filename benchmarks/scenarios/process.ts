import type { State } from '@holdfast/core'
import { flushCompileCache } from 'node:module'

/** What a server process is told at its start. */
export interface Settings {
  readonly redis: string
  readonly secrets: string[]
}

/** What a server process tells the one that started it. */
export type Message = { readonly port: number } | { readonly state: State }

/** How long a session lives, in ms. */
export const maxAge = 3_600_000

/** Reads the settings of this process from its environment. */
export function settings(): Settings {
  const { REDIS_URL: redis, SECRETS: secrets } = process.env
  if (!redis || !secrets) throw new Error('REDIS_URL and SECRETS (a JSON array) have to be set')
  return { redis, secrets: JSON.parse(secrets) as string[] }
}

/** Tells the port, answers each message with the state, and ends with the process that listens. */
export function report(port: number, state: () => State): void {
  const tell = (message: Message): void => void process.send?.(message)
  process.on('message', () => tell({ state: state() }))
  process.on('disconnect', () => process.exit())
  tell({ port })
  // For the next start: it is killed before it could do so at its end.
  flushCompileCache()
}
