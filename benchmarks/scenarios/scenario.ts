import type { Crowd } from './crowd.ts'
import type { Fleet } from './fleet.ts'

/** Where a scenario plays. */
export interface Stage {
  readonly fleet: Fleet
  readonly crowd: Crowd
}

/** Something that happens to Redis or to a fleet, while users go on. */
export interface Scenario {
  readonly name: string
  /** Those of both processes at the start. */
  readonly secrets?: readonly string[]
  play(stage: Stage): Promise<void>
}

const users = ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn']

/** Logs users in, each known to one process only so far, and two of them out again, at one process each. */
export async function gather({ fleet: { apps }, crowd }: Stage): Promise<void> {
  const app = (index: number) => apps[index % 2]!
  for (const [index, user] of users.entries()) {
    const visitor = await crowd.logIn(user, app(index))
    await crowd.write(visitor, app(index), { key: 'cart', value: 'first' })
  }
  await crowd.logOut(await crowd.logIn('Gus', app(0)), app(0))
  await crowd.logOut(await crowd.logIn('Hana', app(1)), app(1))
  crowd.allKnow()
  await crowd.replay('right after their logout')
}

/**
 * Kills Redis while everybody goes on, lets `during` happen in the outage, and starts Redis again: with all its data, or
 * `empty`.
 */
export async function outage(
  { fleet, crowd }: Stage,
  { during, empty = false }: { during?: () => Promise<void>; empty?: boolean } = {},
): Promise<void> {
  const { redis } = fleet
  await crowd.underLoad('as Redis goes', async () => {
    await redis.kill({ keepData: !empty })
    await fleet.until('degraded')
  })
  await inAnOutage({ fleet, crowd }, during)
  await crowd.underLoad('as Redis returns', async () => {
    await redis.restart({ empty })
    await fleet.until('healthy')
  })
  await afterwards({ fleet, crowd })
}

/** Everybody at each process while Redis is away, before `during` and after it. */
export async function inAnOutage({ crowd }: Stage, during?: () => Promise<void>): Promise<void> {
  await crowd.round('while Redis is away')
  await crowd.replay('while Redis is away')
  await during?.()
  await crowd.round('while Redis is away still')
  await crowd.replay('while Redis is away still')
}

/** Everybody at each process, twice, now that every process has to know what ended. */
export async function afterwards({ crowd }: Stage): Promise<void> {
  crowd.allKnow()
  for (const when of ['after recovery', 'some time after recovery']) {
    await crowd.round(when)
    await crowd.replay(when)
  }
}
