import type { Availability } from '../availability/availability.ts'
import type { Backend, Tracking } from '../backend/backend.ts'

/** Whether changes by others are heard of. */
export interface Hearing {
  isOn(): boolean
  close(): void
}

export interface HearingOptions {
  readonly backend: Backend
  readonly availability: Availability
  readonly prefixes: readonly string[]
  readonly onChange: (wireKeys: readonly string[] | undefined) => void
  /** Changes may have gone unheard; `isOver`: until now. */
  readonly onGap: (isOver: boolean) => void
}

/**
 * Hears of changed keys. In doubt it is off: while the connection that tells of them is lost, and from an outage until that
 * connection has proved, after the recovery, that it told of all that happened.
 */
export function createHearing({ backend, availability, prefixes, onChange, onGap }: HearingOptions): Hearing {
  if (!backend.capabilities.shared) return { isOn: () => true, close() {} }
  if (!backend.track) return { isOn: () => false, close() {} }
  const heard = new Set<number>()
  let isTrusted = true
  let isClosed = false

  const trackings: Tracking[] = prefixes.map((prefix, index) =>
    backend.track!(prefix, {
      onChange,
      onHearing(isHearing) {
        if (isHearing) heard.add(index)
        else heard.delete(index)
        onGap(isOn())
      },
    }),
  )

  function isOn(): boolean {
    return isTrusted && heard.size === prefixes.length
  }

  function doubt(): void {
    if (!isTrusted) return
    isTrusted = false
    onGap(false)
  }

  async function prove(): Promise<void> {
    const answers = await Promise.all(trackings.map((tracking) => tracking.prove()))
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
