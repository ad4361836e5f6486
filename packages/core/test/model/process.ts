import type { Backend } from '../../src/backend/backend.ts'
import { createHoldfast, type Holdfast } from '../../src/holdfast.ts'
import type { Sessions } from '../../src/session/sessions.ts'
import { createLink, type Link, type LinkMode } from './link.ts'
import type { ModelClock } from './model-clock.ts'
import type { SharedPrimary } from './shared-primary.ts'

/** One process of the application, with a memory of its own. A restart gives it a new one. */
export interface Process {
  readonly index: number
  readonly link: Link
  readonly holdfast: Holdfast
  readonly sessions: Sessions
  /** Whether what it does now reaches the primary, at once. */
  readonly isInTouch: boolean
  restart(): void
  stop(): void
}

/** Longest time of a request: the one operation timeout that trips the circuit, and the 10 % that a deadline may be late. */
export const patience = 220
export const tokenLifetime = 1_800_000

export interface ProcessOptions {
  readonly index: number
  readonly primary: SharedPrimary
  readonly clock: ModelClock
  readonly random: () => number
  /** Breaks the line on purpose. */
  readonly mutate: (backend: Backend) => Backend
  /** It has told the primary what it knows of endings, and the other way round. */
  readonly onMet: (index: number, after: 'gap' | 'recovery') => void
}

export function createProcess(options: ProcessOptions): Process {
  let life = begin(options, 'well')

  return {
    index: options.index,
    get link() {
      return life.link
    },
    get holdfast() {
      return life.holdfast
    },
    get sessions() {
      return life.sessions
    },
    get isInTouch() {
      const { link, holdfast } = life
      return link.mode === 'well' && holdfast.state === 'healthy' && holdfast.health().memory.journal === 0
    },
    restart() {
      const { mode } = life.link
      life.stop()
      life = begin(options, mode)
    },
    stop: () => life.stop(),
  }
}

interface Life extends Pick<Process, 'link' | 'holdfast' | 'sessions' | 'stop'> {}

function begin({ index, primary, clock, random, mutate, onMet }: ProcessOptions, mode: LinkMode): Life {
  const link = createLink({
    primary,
    clock,
    random,
    mode,
    // A primary that takes no writes hears, and is not told.
    onCaughtUp: () => link.mode === 'well' && holdfast.state === 'healthy' && onMet(index, 'gap'),
  })
  const own = clock.ofProcess()
  const holdfast = createHoldfast({
    backend: mutate(link),
    clock: own,
    logger: false,
    // Rare probes, so that a long wait takes few.
    circuit: { recoveryJitter: 0, probe: { min: 100, max: 5_000 } },
    fallback: { maxEntries: 200 },
    journal: { maxEntries: 200 },
  })
  const sessions = holdfast.sessions({
    continuity: { secrets: ['a secret of the model, 32 bytes or more'], lifetime: tokenLifetime },
    userId: (session) => session['user'] as string | undefined,
  })
  holdfast.on('transition', ({ to }) => to === 'healthy' && onMet(index, 'recovery'))
  return {
    link,
    holdfast,
    sessions,
    stop() {
      link.abandon()
      own.stop()
    },
  }
}
