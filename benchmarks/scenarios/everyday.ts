import { setTimeout as pause } from 'node:timers/promises'
import type { App } from './app.ts'
import type { Crowd, Visitor } from './crowd.ts'
import { secret } from './fleet.ts'
import { gather, outage, type Scenario, type Stage } from './scenario.ts'

const next = 'the second secret of the scenarios'

/** What happens on a good day, and has to hold on the bad one that follows. */
export const everyday: readonly Scenario[] = [
  { name: 'two parallel writes', play: parallelWrites },
  { name: 'a slow request outlives the logout', play: slowRequest },
  { name: 'password change ends the other devices', play: changePassword },
  { name: 'rotated secret', secrets: [secret, next], play: rotateSecret },
]

/** In health at both processes, in an outage at one of them: what either wrote is there, and the last word counts. */
async function parallelWrites(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  for (const time of ['first', 'second', 'third']) {
    await inParallel(crowd, () => fleet.apps, time, [50, 50])
    await crowd.look('after parallel writes')
  }
  await Promise.all(
    crowd.visitors.map(async (visitor) => {
      const late = crowd.write(visitor, here, { key: 'cart', value: 'late', waitMs: 150 })
      await crowd.write(visitor, there, { key: 'cart', value: 'early' })
      await late
    }),
  )
  await crowd.look('after parallel writes of one key')
  await outage(stage, {
    async during() {
      // For half of them it is the process that wrote last, for the others the one that did not.
      const appsOf = (index: number) => [fleet.apps[index % 2]!, fleet.apps[index % 2]!] as const
      // A browser keeps the token that arrives last, which has to be the one that was sent last: so not both at once.
      await inParallel(crowd, appsOf, 'last', [50, 150])
      await crowd.look('after parallel writes in the outage')
    },
  })
}

async function inParallel(
  { visitors, write }: Crowd,
  appsOf: (index: number) => readonly [App, App],
  value: string,
  waits: readonly [number, number],
): Promise<void> {
  await Promise.all(
    visitors.flatMap((visitor, index) => {
      const [first, second] = appsOf(index)
      return [
        write(visitor, first, { key: 'cart', value, waitMs: waits[0] }),
        write(visitor, second, { key: 'theme', value, waitMs: waits[1] }),
      ]
    }),
  )
}

/** It began when its session was there still, and saves when it is not. */
async function slowRequest(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  const leaving = crowd.visitors.slice(0, 2)
  await Promise.all(
    leaving.map((visitor, index) =>
      crowd.ends([visitor], fleet.apps, async () => {
        const slow = crowd.write(visitor, here, { key: 'cart', value: 'slow', waitMs: 200 })
        await pause(50)
        await visitor.browser.send([here, there][index]!.port, 'POST', '/logout')
        await slow
      }),
    ),
  )
  await crowd.replay('after the slow request')
  await outage(stage)
}

async function changePassword(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  const laptop = await crowd.logIn('Xenia', here, 'laptop')
  const phone = await crowd.logIn('Xenia', there, 'phone')
  const tablet = await crowd.logIn('Xenia', here, 'tablet')
  await crowd.round('before the password is changed')
  await hasDevices(laptop, here, ['laptop', 'phone', 'tablet'])

  await crowd.ends([phone, tablet], fleet.apps, () => laptop.browser.send(here.port, 'POST', '/password'))
  await crowd.round('after the password was changed')
  await crowd.replay('after the password was changed')
  await hasDevices(laptop, there, ['laptop'])
  await outage(stage)
  await outage(stage, { empty: true })
}

async function hasDevices({ browser }: Visitor, app: App, wanted: readonly string[]): Promise<void> {
  const { body } = await browser.send(app.port, 'GET', '/devices')
  const devices = body as unknown as readonly { device: string; isCurrent: boolean }[]
  const names = devices.map(({ device }) => device).sort()
  const current = devices.filter(({ isCurrent }) => isCurrent).map(({ device }) => device)
  if (names.join() === wanted.join() && current.join() === 'laptop') return
  throw new Error(`${app.name} lists ${names.join(', ')}, and as the current one ${current.join(', ')}`)
}

/** As the docs have it: the new secret is known everywhere, then seals, then is the only one. */
async function rotateSecret(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  await here.restart([next, secret])
  await fleet.until('healthy')
  await outage(stage)

  await there.restart([next, secret])
  await fleet.until('healthy')
  for (const when of ['once both seal anew', 'once both have sealed anew']) await crowd.round(when)

  await Promise.all(fleet.apps.map((app) => app.restart([next])))
  await fleet.until('healthy')
  await outage(stage)
}
