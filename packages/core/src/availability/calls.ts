import { classify, deadlineFault, type Fault } from './classify.ts'
import type { Deadline, Deadlines } from './deadlines.ts'

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

  /** A call under way, its own deadline: one object and one promise, as this is the path of every call. */
  class Call<R> implements Deadline {
    settled = false
    expires = 0
    readonly #heardBefore = heard
    readonly #onFault: (fault: Fault) => R
    readonly #watcher: CallWatcher | undefined
    readonly #resolve: (result: R | PromiseLike<R>) => void
    readonly #reject: (error: unknown) => void

    constructor(
      onFault: (fault: Fault) => R,
      watcher: CallWatcher | undefined,
      resolve: (result: R | PromiseLike<R>) => void,
      reject: (error: unknown) => void,
    ) {
      this.#onFault = onFault
      this.#watcher = watcher
      this.#resolve = resolve
      this.#reject = reject
    }

    onExpire(): void {
      this.#conclude(deadlineFault, heard === this.#heardBefore)
    }

    onError(error: unknown): void {
      if (!deadlines.meet(this)) return
      const fault = classify(error)
      if (fault.kind === 'rejected' || fault.kind === 'writes-unavailable') heard++
      this.#conclude(fault, false)
    }

    onAnswer<T>(value: T, onValue: (value: T) => R | Promise<R>): void {
      heard++
      if (!deadlines.meet(this)) return
      this.#watcher?.onValue()
      try {
        this.#resolve(onValue(value))
      } catch (error) {
        this.#reject(error)
      }
    }

    #conclude(fault: Fault, silent: boolean): void {
      this.#watcher?.onFault(fault, silent)
      try {
        this.#resolve(this.#onFault(fault))
      } catch (error) {
        this.#reject(error)
      }
    }
  }

  return {
    send: (operation, onValue, onFault, watcher) =>
      new Promise((resolve, reject) => {
        const call = new Call(onFault, watcher, resolve, reject)
        // The command is on its way before its time is taken: what is done now is done while the primary works.
        let sent: ReturnType<typeof operation>
        try {
          sent = operation()
        } catch (error) {
          sent = Promise.reject(error)
        }
        deadlines.start(call)
        sent.then(
          (value) => call.onAnswer(value, onValue),
          (error: unknown) => call.onError(error),
        )
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
