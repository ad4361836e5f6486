import { holdfastOf, type Cache as CacheEngine, type Holdfast, type HoldfastOptions } from '@holdfast/core'
import { Logger, type OnApplicationShutdown } from '@nestjs/common'

/** What a module holds while the application runs. */
export interface Opened extends OnApplicationShutdown {
  readonly holdfast: Holdfast
  readonly engine: CacheEngine
  /** Lets go of Redis, unless the Holdfast is another's. */
  close(): Promise<void>
}

/** Creates a Holdfast, unless one is given, and a cache on it. Resolves once Redis is known to be there or not. */
export async function open(
  options: HoldfastOptions & { readonly holdfast?: Holdfast | undefined },
  engineOn: (holdfast: Holdfast) => CacheEngine,
): Promise<Opened> {
  const { holdfast: given, logger = nestLogger(), ...own } = options
  const { holdfast, close } = holdfastOf(given, { ...own, logger })
  try {
    const engine = engineOn(holdfast)
    await holdfast.ready()
    // Requests that are under way are answered before: Nest closes the server in between.
    return { holdfast, engine, close, onApplicationShutdown: close }
  } catch (error) {
    await close()
    throw error
  }
}

function nestLogger(): HoldfastOptions['logger'] & object {
  const logger = new Logger('Holdfast')
  return {
    info: (line: string) => logger.log(line),
    warn: (line: string) => logger.warn(line),
    error: (line: string) => logger.error(line),
  }
}
