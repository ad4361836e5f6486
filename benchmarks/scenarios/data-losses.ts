import { setTimeout as pause } from 'node:timers/promises'
import { afterwards, gather, outage, type Scenario, type Stage } from './scenario.ts'

/** What Redis forgets, or forgets that it has forgotten. */
export const dataLosses: readonly Scenario[] = [
  { name: 'logout before, old cookies replayed during and after', play: replayOldCookies },
  { name: 'FLUSHALL under load', play: flushAll },
  { name: 'single session evicted', play: evicted },
  { name: 'restart empty with processes alive', play: restartEmpty },
  { name: 'failover to an older copy', play: olderCopy },
]

async function replayOldCookies(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  await crowd.round('before the logout')
  const [first, second, third] = [crowd.visitors[0]!, crowd.visitors[1]!, crowd.visitors[2]!]
  await crowd.logOut(first, here)
  await crowd.logOut(second, here)
  await crowd.logInAgain(third, there)
  crowd.allKnow()
  await crowd.replay('before the outage')
  await outage(stage)
  await outage(stage, { empty: true })
}

async function flushAll(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  await gather(stage)
  await crowd.underLoad('under FLUSHALL', async () => {
    for (const app of [...fleet.apps, ...fleet.apps]) {
      const brief = await crowd.logIn('Tess', app)
      await crowd.logOut(brief, app)
      await fleet.flushAll()
      crowd.allKnow()
      await pause(150)
    }
  })
  await afterwards(stage)
}

async function evicted(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  await gather(stage)
  for (const visitor of crowd.visitors) await fleet.evict(visitor.browser)
  await crowd.round('after their session was evicted')
  for (const visitor of crowd.visitors) await fleet.evict(visitor.browser)
  await afterwards(stage)
}

async function restartEmpty(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  await gather(stage)
  const [leaving] = crowd.visitors
  await outage(stage, {
    empty: true,
    async during() {
      await crowd.logIn('Uma', fleet.apps[0])
      await crowd.logOut(leaving!, fleet.apps[1])
    },
  })
}

/** Redis comes back with what it had some time ago, and takes it for the truth. */
async function olderCopy(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  await crowd.round('before the copy')
  await fleet.copyData()

  const [first, second, third] = [crowd.visitors[0]!, crowd.visitors[1]!, crowd.visitors[2]!]
  await crowd.logOut(first, here)
  await crowd.logOut(second, there)
  await crowd.logInAgain(third, there)
  await crowd.logIn('Vera', here)
  await crowd.logIn('Walt', there)
  await crowd.round('after the copy')
  crowd.allKnow()

  await crowd.underLoad('during the failover', async () => {
    await fleet.redis.kill()
    await fleet.redis.restart()
    await fleet.until('healthy')
  })
  await afterwards(stage)

  // A process that was not there knows only what the others have put back.
  await here.restart()
  await fleet.until('healthy')
  await afterwards(stage)
}
