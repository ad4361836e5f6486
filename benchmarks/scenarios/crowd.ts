import { setTimeout as pause } from 'node:timers/promises'
import type { App } from './app.ts'
import type { Browser, Browsers } from './browser.ts'
import type { Fleet } from './fleet.ts'

/** Somebody who is logged in and means to stay so. */
export interface Visitor {
  /** The user, and the device where there are several. */
  readonly name: string
  readonly user: string
  readonly browser: Browser
  /** What they wrote to their session last, by key. */
  readonly wrote: Map<string, string>
  /** Their cookies as they were right after the login: a thief may have those. */
  first: Browser
  /** Visits so far, which decides whose turn it is. */
  turn: number
}

/** A session that must not come back. */
interface Ended {
  readonly name: string
  /** Old cookies, from right after the login, right before the end and right after it. */
  readonly copies: readonly Browser[]
  /** Who has to refuse them. */
  by: readonly App[]
}

/** What became of a scenario's users and sessions: each is counted once. */
export interface Counts {
  readonly requests: number
  readonly failed: number
  readonly loggedOut: number
  readonly cameBack: number
  readonly lostWrites: number
  /** What happened, for whoever looks into it. */
  readonly remarks: readonly string[]
}

/** What a visitor does to their session; it may take its time between reading the session and changing it. */
interface Write {
  readonly key: (typeof keys)[number]
  readonly value: string
  readonly waitMs?: number
}

const keys = ['cart', 'theme'] as const

/** Everybody who visits a fleet: users, and thieves with copies of their old cookies. */
export interface Crowd {
  readonly visitors: readonly Visitor[]
  /** Somebody new, or another device of somebody. */
  logIn(user: string, app: App, device?: string): Promise<Visitor>
  /** Logs in once more, which ends the session before. */
  logInAgain(visitor: Visitor, app: App): Promise<void>
  logOut(visitor: Visitor, app: App): Promise<void>
  /** Holds that a visitor's session has ended by what `action` does, and has to be refused by these processes. */
  ends(visitors: readonly Visitor[], by: readonly App[], action: () => Promise<unknown>): Promise<void>
  write(visitor: Visitor, app: App, what: Write): Promise<void>
  /** Everybody reads at both processes. */
  look(when: string): Promise<void>
  /** Everybody reads at both processes and writes at one of them. */
  round(when: string): Promise<void>
  /** Thieves try old cookies, at each process that has to refuse them. */
  replay(when: string): Promise<void>
  /** Everybody, thieves too, over and over for as long as the action takes. */
  underLoad(when: string, action: () => Promise<unknown>): Promise<void>
  /** From now on only this process has to refuse what has ended: another one cannot know. */
  onlyKnownTo(app: App): void
  /** From now on every process has to refuse what has ended. */
  allKnow(): void
  counts(): Counts
}

/** Creates a crowd without anybody in it. */
export function createCrowd({ apps }: Fleet, browsers: Browsers): Crowd {
  const visitors: Visitor[] = []
  const ended: Ended[] = []
  const found = { loggedOut: new Set<string>(), cameBack: new Set<string>(), lostWrites: new Set<string>() }
  const remarks: string[] = []

  function note(kind: keyof typeof found, name: string, remark: string): void {
    if (!found[kind].has(name)) remarks.push(`${name} ${remark}`)
    found[kind].add(name)
  }

  async function read(visitor: Visitor, app: App, when: string): Promise<void> {
    const { name, user, wrote, browser } = visitor
    const { status, body } = await browser.send(app.port, 'GET', '/me')
    if (status !== 200) return
    if (body.user !== user) return note('loggedOut', name, `was ${String(body.user)} at ${app.name} ${when}`)
    for (const key of keys) {
      const wanted = wrote.get(key) ?? null
      if (body[key] !== wanted) {
        note('lostWrites', name, `had ${key} ${String(body[key])} and not ${wanted} at ${app.name} ${when}`)
      }
    }
  }

  async function write({ browser, wrote }: Visitor, app: App, what: Write): Promise<void> {
    const { status } = await browser.send(app.port, 'POST', '/set', what)
    if (status === 200) wrote.set(what.key, what.value)
  }

  async function visit(visitor: Visitor, when: string): Promise<void> {
    const [here, there] = visitor.turn++ % 2 === 0 ? apps : [apps[1], apps[0]]
    await read(visitor, here, when)
    await write(visitor, here, { key: 'cart', value: `${visitor.turn}` })
    await read(visitor, there, when)
  }

  async function tryOld({ name, copies, by }: Ended, when: string): Promise<void> {
    for (const app of by) {
      for (const copy of copies) {
        const thief = copy.copy()
        const first = await thief.send(app.port, 'GET', '/me')
        await thief.send(app.port, 'POST', '/set', { key: 'cart', value: 'stolen' })
        const second = await thief.send(app.port, 'GET', '/me')
        const seen = [first, second].find(({ body }) => (body.user ?? null) !== null)
        if (seen) note('cameBack', name, `came back at ${app.name} ${when}`)
      }
    }
  }

  async function logIn(user: string, app: App, device?: string): Promise<Visitor> {
    const browser = browsers.open()
    const name = device === undefined ? user : `${user}'s ${device}`
    const visitor: Visitor = { name, user, browser, wrote: new Map(), first: browser, turn: 0 }
    await browser.send(app.port, 'POST', '/login', { user, device })
    visitor.first = browser.copy()
    visitors.push(visitor)
    return visitor
  }

  async function ends(
    leaving: readonly Visitor[],
    by: readonly App[],
    action: () => Promise<unknown>,
  ): Promise<void> {
    const before = leaving.map(({ first, browser }) => [first, browser.copy()])
    await action()
    for (const [index, visitor] of leaving.entries()) {
      const copies = [...before[index]!, visitor.browser.copy()]
      ended.push({ name: visitor.name, copies, by })
      if (visitors.includes(visitor)) visitors.splice(visitors.indexOf(visitor), 1)
    }
  }

  const round = (when: string): Promise<unknown> =>
    Promise.all(visitors.map((visitor) => visit(visitor, when)))
  const replay = (when: string): Promise<unknown> => Promise.all(ended.map((old) => tryOld(old, when)))

  return {
    visitors,
    logIn,
    async logInAgain(visitor, app) {
      const { name, user, browser, first } = visitor
      const copies = [first, browser.copy()]
      await browser.send(app.port, 'POST', '/login', { user })
      ended.push({ name, copies, by: [app] })
      visitor.wrote.clear()
      visitor.first = browser.copy()
    },
    logOut: (visitor, app) => ends([visitor], [app], () => visitor.browser.send(app.port, 'POST', '/logout')),
    ends,
    write,
    async look(when) {
      for (const app of apps) await Promise.all(visitors.map((visitor) => read(visitor, app, when)))
    },
    async round(when) {
      await round(when)
    },
    async replay(when) {
      await replay(when)
    },
    async underLoad(when, action) {
      let isOver = false
      const repeat = async (every: number, step: () => Promise<unknown>): Promise<void> => {
        while (!isOver) {
          await step()
          await pause(every)
        }
      }
      const load = [
        ...visitors.map((visitor) => repeat(50, () => visit(visitor, when))),
        repeat(100, () => replay(when)),
      ]
      try {
        await action()
      } finally {
        isOver = true
        await Promise.all(load)
      }
    },
    onlyKnownTo(app) {
      for (const old of ended) old.by = [app]
    },
    allKnow() {
      for (const old of ended) old.by = apps
    },
    counts: () => ({
      requests: browsers.requests,
      failed: browsers.failures.length,
      loggedOut: found.loggedOut.size,
      cameBack: found.cameBack.size,
      lostWrites: found.lostWrites.size,
      remarks: [...remarks, ...new Set(browsers.failures)],
    }),
  }
}
