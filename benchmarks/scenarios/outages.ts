import { afterwards, gather, inAnOutage, outage, type Scenario, type Stage } from './scenario.ts'

/** What goes on while Redis is away. */
export const outages: readonly Scenario[] = [
  { name: 'kill during use', play: killDuringUse },
  { name: 'hang', play: hang },
  { name: 'login during the outage, then recovery', play: logInDuring },
  { name: 'logout during the outage, then recovery', play: logOutDuring },
  { name: 'logout everywhere during the outage, then recovery', play: logOutEverywhereDuring },
  { name: 'process restarted during the outage', play: processRestarted },
]

async function killDuringUse(stage: Stage): Promise<void> {
  await gather(stage)
  await outage(stage, { during: () => everybodyIsToldSo(stage) })
}

/** An application may refuse what should not run on a token alone, so it has to be able to tell. */
async function everybodyIsToldSo({ fleet: { apps }, crowd: { visitors } }: Stage): Promise<void> {
  for (const { name, browser } of visitors) {
    for (const app of apps) {
      const { body } = await browser.send(app.port, 'GET', '/me')
      if (body.isDegraded !== true)
        throw new Error(`${app.name} does not say that ${name}'s visit is degraded`)
    }
  }
}

async function hang(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  await gather(stage)
  await crowd.underLoad('as Redis hangs', async () => {
    fleet.redis.freeze()
    await fleet.until('degraded')
  })
  await inAnOutage(stage)
  await crowd.underLoad('as Redis goes on', async () => {
    fleet.redis.thaw()
    await fleet.until('healthy')
  })
  await afterwards(stage)
}

async function logInDuring(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  const again = [crowd.visitors[0]!, crowd.visitors[1]!] as const
  await outage(stage, {
    async during() {
      await crowd.logIn('Nora', here)
      await crowd.logIn('Otto', there)
      await crowd.logInAgain(again[0], here)
      await crowd.logInAgain(again[1], there)
    },
  })
}

async function logOutDuring(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  const [first, second] = [crowd.visitors[0]!, crowd.visitors[1]!]
  await outage(stage, {
    async during() {
      await crowd.logOut(first, there)
      await crowd.logOut(second, here)
      const fleeting = await crowd.logIn('Pia', here)
      await crowd.logOut(fleeting, here)
    },
  })
}

/** Also those are ended that the process has never seen; whoever logs in right afterwards stays. */
async function logOutEverywhereDuring(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [here, there] = fleet.apps
  await gather(stage)
  const laptop = await crowd.logIn('Quinn', here, 'laptop')
  const phone = await crowd.logIn('Quinn', there, 'phone')
  await outage(stage, {
    async during() {
      const watch = await crowd.logIn('Quinn', there, 'watch')
      await crowd.ends([laptop, phone, watch], [here], () =>
        laptop.browser.send(here.port, 'POST', '/logout-everywhere'),
      )
      await crowd.logIn('Quinn', here, 'tablet')
    },
  })
}

/** The new process knows nobody: neither those who were here before it, nor who left before it. */
async function processRestarted(stage: Stage): Promise<void> {
  const { fleet, crowd } = stage
  const [restarted, other] = fleet.apps
  await gather(stage)
  await outage(stage, {
    async during() {
      await crowd.logIn('Rosa', restarted)
      await crowd.logIn('Sam', other)
      await crowd.round('before the process is restarted')
      crowd.onlyKnownTo(other)
      await restarted.restart()
      await crowd.round('right after the process was restarted')
    },
  })
}
