import { HoldfastHealthIndicator } from '@holdfast/cache-nestjs/terminus'
import { Controller, Get } from '@nestjs/common'
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus'

@Controller('health')
export class HealthController {
  readonly #health: HealthCheckService
  readonly #redis: HoldfastHealthIndicator

  constructor(health: HealthCheckService, redis: HoldfastHealthIndicator) {
    this.#health = health
    this.#redis = redis
  }

  /** 200 also while Redis is away: then it says `degraded`. */
  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.#health.check([() => this.#redis.check()])
  }
}
