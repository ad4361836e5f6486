import type { Backend } from '@holdfast/core'
import type { Tell } from './telling-table.ts'

type Track = NonNullable<Backend['track']>
type Listener = Parameters<Track>[1]

/** A tracking of the model; its client can end it. */
export type ModelTracking = ReturnType<Track> & { end(): void }

interface Line {
  /** Who is told of each change. */
  readonly trackers: Set<Tell>
  /** Resolves when something has come over the line, in order. */
  carried(): Promise<void>
  watch: NonNullable<Backend['watch']>
}

/** Tells a listener of changed keys, as far as the line carries the news. */
export function startTracking(prefix: string, listener: Listener, line: Line): ModelTracking {
  let isHearing = false

  function hear(does: boolean): void {
    if (isHearing === does) return
    isHearing = does
    listener.onHearing(does)
  }

  function tell(key?: string): void {
    if (!isHearing || (key !== undefined && !key.startsWith(prefix))) return
    line.carried().then(
      () => isHearing && listener.onChange(key === undefined ? undefined : [key]),
      () => undefined,
    )
  }

  function close(): void {
    line.trackers.delete(tell)
    stop()
    isHearing = false
  }

  const stop = line.watch(({ status }) => hear(status === 'ready'))
  line.trackers.add(tell)
  return {
    prove: () =>
      line.carried().then(
        () => isHearing,
        () => false,
      ),
    close,
    end() {
      hear(false)
      close()
    },
  }
}
