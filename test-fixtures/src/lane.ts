import type { Socket } from 'node:net'

/** What holds up the bytes of a proxy. It may change at any time, and counts for bytes that are under way as well. */
export interface Weather {
  /** One way, in ms. */
  delay: number
  /** How much a delay differs at most, in ms. */
  jitter: number
  /** Bytes per second in each direction. */
  rate: number
  /** A number from -1 to 1. */
  random(): number
}

/** One direction of a connection. All that it is given arrives in order, and its end comes last. */
export interface Lane {
  write(chunk: Buffer): void
  end(): void
  /** Looks again whether something may pass, after the weather has changed. */
  flush(): void
  /** Loses all that is under way, and says whether there was anything. */
  clear(): boolean
}

interface Item {
  /** Absent: the end. */
  readonly chunk?: Buffer
  readonly since: number
  readonly luck: number
}

/** Creates a direction that ends in `to`; nothing leaves it while `isHeld` says so. */
export function createLane(to: Socket, weather: Weather, isHeld: () => boolean = () => false): Lane {
  const items: Item[] = []
  let timer: NodeJS.Timeout | undefined
  /** When the link is free again after what was sent last. */
  let freeAt = 0

  function flush(): void {
    clearTimeout(timer)
    for (let item = items[0]; item && !isHeld(); item = items[0]) {
      const wait = dueOf(item) - performance.now()
      if (wait > 0) {
        timer = setTimeout(flush, wait)
        return
      }
      pass(item)
    }
  }

  function dueOf({ since, luck }: Item): number {
    const arrival = since + Math.max(0, weather.delay + luck * weather.jitter)
    return weather.rate === Infinity ? arrival : Math.max(arrival, freeAt)
  }

  /** Sends the first item, or as much of it as a slow link sends in a twentieth of a second. */
  function pass({ chunk, ...item }: Item): void {
    items.shift()
    if (!chunk) return void to.end()
    const size = Math.max(1, Math.floor(weather.rate / 20))
    const piece = chunk.subarray(0, Math.min(size, chunk.length))
    if (piece.length < chunk.length) items.unshift({ ...item, chunk: chunk.subarray(piece.length) })
    freeAt = performance.now() + (piece.length / weather.rate) * 1000
    if (to.writable) to.write(piece)
  }

  function push(chunk?: Buffer): void {
    items.push({ ...(chunk && { chunk }), since: performance.now(), luck: weather.random() })
    if (items.length === 1) flush()
  }

  return {
    write: (chunk) => push(chunk),
    end: () => push(),
    flush,
    clear() {
      clearTimeout(timer)
      return items.splice(0).length > 0
    },
  }
}
