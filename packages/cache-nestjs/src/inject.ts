import { Inject } from '@nestjs/common'
import { HOLDFAST, HOLDFAST_CACHE } from './tokens.ts'

/** Injects the cache engine: `getOrSet`, tags, grace and the rest of core's `Cache`. */
export const InjectCache = (): ReturnType<typeof Inject> => Inject(HOLDFAST_CACHE)

/** Injects the Holdfast: state, events, health, sessions. */
export const InjectHoldfast = (): ReturnType<typeof Inject> => Inject(HOLDFAST)
