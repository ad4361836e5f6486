import { time, type Database, type Value } from './database.ts'

/** One call and what became of it. */
export interface Sample {
  /** When it was due, in ms since the epoch. */
  readonly due: number
  /** From when it was due, or sent, until its answer, in ms. */
  readonly ms: number
  /** It had no answer within the patience. */
  readonly isHung: boolean
  /** Why it failed: an error, no value where one could be made, or that of another key. */
  readonly failure: string | undefined
  /** It gave a value that had been changed before it was asked for. */
  readonly isStale: boolean
  /** One of many that came all at once. */
  readonly isCrowd: boolean
}

/** What an application does with its cache, whatever is around it. */
export interface Subject {
  /** Gives the value, from the cache or by {@link Database.read}. */
  getOrSet(key: string, ttl: number): Promise<Value>
  /** Gives the value if the cache has it. */
  get(key: string): Promise<Value | undefined>
}

export interface Load {
  /** Asks `rate` times a second, each time when it is due, whether or not earlier calls were answered. */
  run(rate: number): void
  /** Asks for so many keys that nobody has, all at once. */
  crowd(size: number): Promise<void>
  /** Asks for all seeded keys, one after the other. */
  sweep(): Promise<void>
  /** Ends the run, waits for what is under way, and gives all samples since the last time. */
  stop(): Promise<Sample[]>
}

/** A seeded key lives longer than any fault; a hot one is made anew again and again. */
export const seededTtl = 120_000
const hotTtl = 2_000
const keysEach = 40
const patience = 5_000

export const seededKeys: readonly string[] = Array.from({ length: keysEach }, (_, i) => `seeded:${i}`)

/**
 * Creates the load. A call takes its time from when it was due, as an application that is late is late for its callers; `sent`
 * counts from when it was sent, for a process that does nothing but ask: that it is late itself says nothing of the application.
 */
export function createLoad(
  subject: Subject,
  database: Database,
  { from = 'due' }: { readonly from?: 'due' | 'sent' } = {},
): Load {
  const name = process.pid
  let samples: Sample[] = []
  let under: Promise<void>[] = []
  let timer: NodeJS.Timeout | undefined
  let cold = 0

  async function call(key: string, ttl: number | undefined, due = time(), isCrowd = false): Promise<void> {
    const { version } = database.now(key)
    const began = from === 'due' ? due : time()
    const sample = (failure: string | undefined, isStale = false, isHung = false): void =>
      void samples.push({ due, ms: time() - began, failure, isStale, isHung, isCrowd })
    let patient: NodeJS.Timeout | undefined
    try {
      const impatience = new Promise<'hung'>((resolve) => {
        patient = setTimeout(resolve, patience, 'hung')
      })
      const asked = ttl === undefined ? subject.get(key) : subject.getOrSet(key, ttl)
      const value = await Promise.race([asked, impatience])
      if (value === 'hung') sample(undefined, false, true)
      else if (value === undefined) sample(ttl === undefined ? undefined : 'no value')
      else sample(value.key === key ? undefined : 'the value of another key', value.version < version)
    } catch (error) {
      sample(String(error))
    } finally {
      clearTimeout(patient)
    }
  }

  function next(i: number, due: number): Promise<void> {
    const round = Math.floor(i / 3)
    if (i % 3 === 0) return call(`hot:${round % keysEach}`, hotTtl, due)
    if (i % 3 === 1) return call(seededKeys[round % keysEach]!, undefined, due)
    return call(`cold:${name}:${cold++}`, hotTtl, due)
  }

  return {
    run(rate) {
      const began = time()
      let sent = 0
      timer = setInterval(() => {
        for (; began + (sent * 1000) / rate <= time(); sent++) {
          under.push(next(sent, began + (sent * 1000) / rate))
        }
      }, 1)
    },
    async crowd(size) {
      const due = time()
      const calls = Array.from({ length: size }, () => call(`cold:${name}:${cold++}`, hotTtl, due, true))
      await Promise.all(calls)
    },
    async sweep() {
      for (const key of seededKeys) await call(key, undefined)
    },
    async stop() {
      clearInterval(timer)
      await Promise.all(under)
      under = []
      const all = samples
      samples = []
      return all
    },
  }
}
