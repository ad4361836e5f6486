import fc from 'fast-check'
import type { Action } from './application.ts'
import type { LinkMode } from './link.ts'

/** One thing that happens. Requests come from browsers, faults from outside. */
export type Step =
  | { readonly do: 'request'; readonly browser: number; readonly process: number; readonly action: Action }
  /** Two requests of one browser at the same time, which set different keys. */
  | { readonly do: 'pair'; readonly browser: number; readonly processes: readonly [number, number] }
  /** A request that loads now and sets a key later. */
  | { readonly do: 'begin slow'; readonly browser: number; readonly process: number; readonly key: string }
  | { readonly do: 'finish slow' }
  /** Somebody copies a browser's cookies. Before a logout it happens by itself. */
  | { readonly do: 'steal'; readonly browser: number }
  | { readonly do: 'replay'; readonly copy: number; readonly process: number }
  | { readonly do: 'forge'; readonly browser: number; readonly process: number; readonly how: Forgery }
  | { readonly do: 'drop token'; readonly browser: number }
  | { readonly do: 'line'; readonly process: number | 'all'; readonly is: LinkMode }
  /** The connection on which a process listens is lost, and no other. */
  | { readonly do: 'deafen'; readonly process: number }
  | { readonly do: 'deliver strays' }
  | { readonly do: 'flush' }
  | { readonly do: 'evict'; readonly what: 'endings' | 'epoch' | number }
  /** The primary goes back to what it was that many steps ago, and all connections to it are made anew. */
  | { readonly do: 'failover'; readonly back: number }
  | { readonly do: 'restart'; readonly process: number }
  | { readonly do: 'wait'; readonly ms: number }
  /** All faults end, and time passes until everybody knows what there is to know. */
  | { readonly do: 'calm' }

export type Forgery = 'altered' | 'of another session' | 'cut short' | 'too long' | 'garbage'

/** What happens, and a seed for what happens at random in between. */
export interface Schedule {
  readonly seed: number
  readonly steps: readonly Step[]
}

export const processCount = 3
export const browserCount = 2
export const keys = ['a', 'b', 'c'] as const

const browser = fc.nat(browserCount - 1)
const process = fc.nat(processCount - 1)
const key = fc.constantFrom(...keys)
const line = fc.oneof(
  { weight: 2, arbitrary: process },
  { weight: 1, arbitrary: fc.constant('all' as const) },
)

const action: fc.Arbitrary<Action> = weighted<Action>(
  [6, fc.record({ to: fc.constant('read') })],
  [8, fc.record({ to: fc.constant('set'), key })],
  [1, fc.record({ to: fc.constant('unset'), key })],
  [2, fc.record({ to: fc.constant('login'), user: fc.constantFrom('ann', 'bob') })],
  [2, fc.record({ to: fc.constant('logout') })],
  [1, fc.record({ to: fc.constantFrom('logout everywhere', 'logout elsewhere') })],
)

const step: fc.Arbitrary<Step> = weighted<Step>(
  [20, fc.record({ do: fc.constant('request'), browser, process, action })],
  [3, fc.record({ do: fc.constant('pair'), browser, processes: fc.tuple(process, process) })],
  [2, fc.record({ do: fc.constant('begin slow'), browser, process, key })],
  [2, fc.record({ do: fc.constant('finish slow') })],
  [1, fc.record({ do: fc.constant('steal'), browser })],
  [5, fc.record({ do: fc.constant('replay'), copy: fc.nat(2), process })],
  [1, fc.record({ do: fc.constant('forge'), browser, process, how: forgery() })],
  [1, fc.record({ do: fc.constant('drop token'), browser })],
  [7, fc.record({ do: fc.constant('line'), process: line, is: lineMode() })],
  [3, fc.record({ do: fc.constant('deafen'), process })],
  [1, fc.record({ do: fc.constant('deliver strays') })],
  [1, fc.record({ do: fc.constant('flush') })],
  [2, fc.record({ do: fc.constant('evict'), what: fc.oneof(browser, fc.constantFrom('endings', 'epoch')) })],
  [2, fc.record({ do: fc.constant('failover'), back: fc.integer({ min: 1, max: 5 }) })],
  [2, fc.record({ do: fc.constant('restart'), process })],
  [4, fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(20, 300, 1_500, 60_000, 500_000) })],
  [1, fc.record({ do: fc.constant('calm') })],
)

/** Schedules of up to `longest` steps. */
export function schedules(longest: number): fc.Arbitrary<Schedule> {
  return fc.record({
    seed: fc.nat(),
    steps: fc.array(step, { minLength: 1, maxLength: longest, size: 'max' }),
  })
}

function forgery(): fc.Arbitrary<Forgery> {
  return fc.constantFrom('altered', 'of another session', 'cut short', 'too long', 'garbage')
}

function lineMode(): fc.Arbitrary<LinkMode> {
  return fc.constantFrom('cut', 'cut', 'hung', 'mute', 'refusing', 'well', 'well')
}

/** The `do` and `to` of a record are constants, which their arbitraries only know as text. */
function weighted<T>(
  ...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<unknown>])[]
): fc.Arbitrary<T> {
  return fc.oneof(
    ...choices.map(([weight, arbitrary]) => ({ weight, arbitrary: arbitrary as fc.Arbitrary<T> })),
  )
}

/** A step in words. */
export function told(step: Step): string {
  const { do: what, ...rest } = step
  return `${what} ${Object.values(rest)
    .map((value) => (typeof value === 'object' ? Object.values(value as object).join(' ') : String(value)))
    .join(' ')}`
}
