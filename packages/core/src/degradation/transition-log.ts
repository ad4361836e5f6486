import type { Circuit } from '../availability/circuit.ts'
import type { Fault } from '../availability/classify.ts'
import type { Clock, Timer } from '../clock.ts'
import { runGuarded, type State } from '../events.ts'
import type { Milliseconds } from '../units.ts'

/** A logger: pino, winston, console, or anything else with these methods. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** A logger that fails must not take a request with it. */
export function guarded(logger: Logger): Logger {
  // There is nowhere left to say so.
  const ignore = (): void => {}
  const guard = (level: keyof Logger) => (message: string) => runGuarded(() => logger[level](message), ignore)
  return { info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/** Writes one line per transition, and a reminder while an outage lasts. */
export interface TransitionLog {
  note(to: State, circuit: Circuit): void
  /** How many outages there were; what comes and goes is one. */
  outages(): number
  close(): void
}

/** A closed connection says little; why it cannot be opened again shows a moment later. */
const causeShowsWithin = 300
/** The first connection takes several round trips, and a call may have waited for it in vain: that is told once it has lasted. */
const startsWithin = 1_000
const remindEvery = 300_000
/** A return is told once it has lasted: what comes and goes is one outage, and one line. */
const lastsFor = 1_000

/**
 * Creates the log of one primary: one line when it is lost, one when it is back, and in between a reminder at most every
 * five minutes. `rules` says in a few words how things go on meanwhile.
 */
export function createTransitionLog(options: {
  readonly logger: Logger
  readonly clock: Clock
  readonly name: string
  readonly rules: () => string
  readonly circuit: () => Circuit
}): TransitionLog {
  const { logger, clock, name } = options
  let outageSince: number | undefined
  let outages = 0
  let isToldOf = false
  let hasBeenHealthy = false
  let known: Fault | undefined
  let timer: Timer | undefined

  /** The fault as it is known now; what comes later often says more. */
  function cause(): Fault | undefined {
    const circuit = options.circuit()
    if (circuit.at === 'open' || circuit.at === 'half-open') known = circuit.fault
    return known
  }

  function after(ms: Milliseconds, action: () => void): void {
    timer?.cancel()
    timer = clock.setTimeout(action, ms)
  }

  function tellLoss(): void {
    isToldOf = true
    logger.warn(`holdfast: degraded: ${name} ${describe(cause())}; ${options.rules()}`)
    after(remindEvery, remind)
  }

  function remind(): void {
    const lasted = inWords(clock.now() - outageSince!)
    logger.warn(`holdfast: still degraded after ${lasted}: ${name} ${describe(cause())}`)
    after(remindEvery, remind)
  }

  function noteLoss(circuit: Circuit): void {
    if (circuit.at === 'open') known = circuit.fault
    const isVague = known?.code === 'CONNECTION_LOST'
    const isStarting = !hasBeenHealthy && known?.code === 'DEADLINE'
    if (outageSince === undefined) {
      outageSince = clock.now()
      outages++
      isToldOf = false
    }
    const lasted = clock.now() - outageSince
    if (isToldOf) after(remindEvery, remind)
    else if (isVague) after(causeShowsWithin - lasted, tellLoss)
    else if (isStarting) after(startsWithin - lasted, tellLoss)
    else tellLoss()
  }

  function noteReturn(): void {
    if (!hasBeenHealthy && !isToldOf) {
      timer?.cancel()
      outageSince = undefined
      outages = 0
      logger.info(`holdfast: healthy: ${name} answers`)
    } else if (outageSince !== undefined) {
      if (!isToldOf) tellLoss()
      const lasted = inWords(clock.now() - outageSince)
      after(lastsFor, () => {
        outageSince = undefined
        logger.info(`holdfast: healthy again: ${name} is back after ${lasted}`)
      })
    }
    hasBeenHealthy = true
  }

  return {
    note(to, circuit) {
      if (to === 'degraded') noteLoss(circuit)
      else if (to === 'healthy') noteReturn()
    },
    outages: () => outages,
    close: () => timer?.cancel(),
  }
}

function describe(fault: Fault | undefined): string {
  if (!fault) return 'is not available'
  const { kind, code, hint } = fault
  const what =
    kind === 'writes-unavailable'
      ? 'refuses writes'
      : kind === 'misconfigured'
        ? 'refuses us'
        : 'is not available'
  return `${what} (${code})${hint ? `: ${hint}` : ''}`
}

function inWords(ms: Milliseconds): string {
  if (ms < 1000) return `${ms} ms`
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}
