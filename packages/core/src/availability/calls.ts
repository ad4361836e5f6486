import { classify, deadlineFault, type Fault } from './classify.ts'
import type { Deadlines } from './deadlines.ts'

/** What a call to the primary came to. A fault is an answer of its own, never an absent value. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault }

/** Hears of what calls come to, before their callers do. */
export interface CallWatcher {
  onValue(): void
  /** `silent`: nothing at all was heard from the primary while the call waited. */
  onFault(fault: Fault, silent: boolean): void
}

/** Sends calls to the primary under a deadline. */
export interface Calls {
  /** Resolves with what is made of the outcome; rejects only with what `onValue` or `onFault` throws. */
  send<T, R>(
    operation: () => Promise<T>,
    onValue: (value: T) => R | Promise<R>,
    onFault: (fault: Fault) => R,
    watcher?: CallWatcher,
  ): Promise<R>
}

export function createCalls(deadlines: Deadlines): Calls {
  /** Counts answers, so that a call that timed out can tell a slow command from a silent primary. */
  let heard = 0

  return {
    // One promise and no more: this is the path of every call.
    send: (operation, onValue, onFault, watcher) =>
      new Promise((resolve, reject) => {
        const heardBefore = heard
        const conclude = (fault: Fault, silent: boolean): void => {
          watcher?.onFault(fault, silent)
          try {
            resolve(onFault(fault))
          } catch (error) {
            reject(error)
          }
        }
        // The command is on its way before its time is taken: what is done now is done while the primary works.
        let sent: ReturnType<typeof operation>
        try {
          sent = operation()
        } catch (error) {
          sent = Promise.reject(error)
        }
        const deadline = deadlines.start(() => conclude(deadlineFault, heard === heardBefore))
        const onError = (error: unknown): void => {
          if (!deadlines.meet(deadline)) return
          const fault = classify(error)
          if (fault.kind === 'rejected' || fault.kind === 'writes-unavailable') heard++
          conclude(fault, false)
        }
        sent.then((value) => {
          heard++
          if (!deadlines.meet(deadline)) return
          watcher?.onValue()
          try {
            resolve(onValue(value))
          } catch (error) {
            reject(error)
          }
        }, onError)
      }),
  }
}

export function succeeded<T>(value: T): Answer<T> {
  return { ok: true, value }
}

export function failed(fault: Fault): Answer<never> {
  return { ok: false, fault }
}

export function asIs<T>(value: T): T {
  return value
}

/** Carries a fault through code that only knows errors, such that {@link classify} gives back the same fault. */
export function throwFault({ error, code }: Fault): never {
  throw error ?? Object.assign(new Error(code), { code })
}
