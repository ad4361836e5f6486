import type { Health, Holdfast } from '@holdfast/core'
import { Inject, Injectable } from '@nestjs/common'
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus'
import { HOLDFAST } from './tokens.ts'

/** What is told of a Holdfast, beside whether it is up. */
type Told = Pick<Health, 'state' | 'backend' | 'since' | 'degraded' | 'fault'>

/**
 * Tells how Redis stands, for `@nestjs/terminus`. An application without its Redis goes on, so it is never `down`: it is
 * `degraded`, with the status 200, where Terminus has that word (12.1), else `up`; `state` tells in both. Costs Redis nothing.
 */
export class HoldfastHealthIndicator {
  readonly #holdfast: Holdfast

  constructor(holdfast: Holdfast) {
    this.#holdfast = holdfast
  }

  check<Key extends string = 'redis'>(key: Key = 'redis' as Key): HealthIndicatorResult<Key> {
    const { state, backend, since, degraded, fault } = this.#holdfast.health()
    const told: Told = { state, backend, since, degraded, fault }
    const session = new HealthIndicatorService().check(key)
    const isDegraded = state !== 'healthy' && 'degraded' in session
    return isDegraded ? session.degraded(told) : session.up(told)
  }
}

Injectable()(HoldfastHealthIndicator)
Inject(HOLDFAST)(HoldfastHealthIndicator, undefined, 0)
