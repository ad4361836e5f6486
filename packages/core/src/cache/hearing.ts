import type { Availability } from '../availability/availability.ts'
import type { Backend, Tracking } from '../backend/backend.ts'

/** Whether changes by others are heard of. */
export interface Hearing {
  /** `now`: in ms since the epoch, for those who have just looked. */
  isOn(now?: number): boolean
  close(): void
}

export interface HearingOptions {
  readonly backend: Backend
  readonly availability: Availability
  readonly prefixes: readonly string[]
  readonly now: () => number
  readonly onChange: (wireKeys: readonly string[] | undefined) => void
  /** Changes may have gone unheard; `isOver`: until now. */
  readonly onGap: (isOver: boolean) => void
}

/**
 * Hears of changed keys. In doubt it is off: while the connection that tells of them is lost, and from an outage until that
 * connection has proved, after the recovery, that it told of all that happened. Also while the last proof is too old, as in a
 * process that was stopped meanwhile: what was known is still true if the next proof says so.
 */
export function createHearing(options: HearingOptions): Hearing {
  const { backend, availability, prefixes, now, onChange, onGap } = options
  if (!backend.capabilities.shared) return { isOn: () => true, close() {} }
  if (!backend.track) return { isOn: () => false, close() {} }
  const heard = new Set<number>()
  let isTrusted = true
  let isClosed = false
  let provedUntil = Infinity
  let isProving = false

  const trackings: Tracking[] = prefixes.map((prefix, index) =>
    backend.track!(prefix, {
      onChange,
      onHearing(isHearing) {
        if (isHearing) heard.add(index)
        else heard.delete(index)
        onGap(isOn())
      },
      onProved: (holdsFor) => void (provedUntil = now() + holdsFor),
    }),
  )

  function isOn(at = now()): boolean {
    return isTrusted && heard.size === prefixes.length && isProved(at)
  }

  function isProved(at: number): boolean {
    if (at <= provedUntil) return true
    // A timer would get to it later: none counts the time that the machine slept.
    if (!isProving) {
      isProving = true
      void askAll().finally(() => (isProving = false))
    }
    return false
  }

  function askAll(): Promise<boolean[]> {
    return Promise.all(trackings.map((tracking) => tracking.prove()))
  }

  function doubt(): void {
    if (!isTrusted) return
    isTrusted = false
    onGap(false)
  }

  async function prove(): Promise<void> {
    const answers = await askAll()
    // A connection that does not answer is replaced, and tells when it hears again.
    if (isClosed || availability.circuit().at !== 'closed') return
    isTrusted = true
    if (answers.every(Boolean)) onGap(isOn())
  }

  const unwatch = availability.watch((circuit) => {
    if (circuit.at === 'open' && circuit.scope === 'everything') doubt()
    if (circuit.at === 'closed' && !isTrusted) void prove()
  })

  return {
    isOn,
    close() {
      isClosed = true
      unwatch()
      for (const tracking of trackings) tracking.close()
    },
  }
}
