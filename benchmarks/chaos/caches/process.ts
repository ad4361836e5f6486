import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Message, Order, Outcome } from './under-load.ts'

/** The applications under test: each is a file `app-<name>.ts`, of which a process is forked. */
export const applications = ['loop', 'nest'] as const

/** Those, and what they are compared with. */
export type ApplicationName = (typeof applications)[number] | 'cacheable'

export interface ApplicationOptions {
  readonly name: ApplicationName
  readonly client: 'ioredis' | 'node-redis'
  readonly url: string
  /** Whether its cache keeps values in its process as well. */
  readonly near: boolean
}

/** An application in a process of its own. */
export interface ApplicationProcess {
  /** All that it told so far. */
  readonly messages: readonly Message[]
  /** Resolves once it was done. */
  order(order: Order): Promise<void>
  /** Ends the load, and gives what came of it. */
  stop(): Promise<Outcome>
  /** Ends the process. */
  kill(): void
}

/** Starts an application; resolves once it can be asked. */
export async function startApplication(options: ApplicationOptions): Promise<ApplicationProcess> {
  const { name, client, url, near } = options
  const env = { CLIENT: client, URL: url, NEAR: near ? 'yes' : 'no', NODE_ENV: 'production' }
  const application = await startChild(`app-${name}.ts`, env)
  const { port } = application.messages.find((message) => message.type === 'ready')!
  if (port === undefined) return application
  return askedBy(await startChild('http-caller.ts', { PORT: String(port) }), application)
}

/** An application that is asked by a process of its own. */
function askedBy(caller: ApplicationProcess, application: ApplicationProcess): ApplicationProcess {
  return {
    messages: application.messages,
    async order(order) {
      const isToAsk = order.do === 'run' || order.do === 'sweep'
      if (!isToAsk) await application.order(order)
      if (isToAsk || order.do === 'note') await caller.order(order)
    },
    async stop() {
      const [asked, own] = await Promise.all([caller.stop(), application.stop()])
      return { samples: [...asked.samples, ...own.samples], factories: own.factories }
    },
    kill() {
      caller.kill()
      application.kill()
    },
  }
}

async function startChild(file: string, env: Readonly<Record<string, string>>): Promise<ApplicationProcess> {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, ...env },
    execArgv: ['--conditions=@holdfast/source'],
  })
  const messages: Message[] = []
  const waiting = new Map<number, (outcome: Outcome | undefined) => void>()
  let orders = 0
  child.on('message', (message: Message) => {
    messages.push(message)
    if (message.type === 'done') waiting.get(message.number)?.(message.outcome)
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended by itself (${String(code)})`)
  })
  ended.catch(() => undefined)

  async function ask(order: Order): Promise<Outcome | undefined> {
    const number = ++orders
    const done = new Promise<Outcome | undefined>((resolve) => waiting.set(number, resolve))
    child.send({ number, order })
    const outcome = await Promise.race([done, ended])
    waiting.delete(number)
    return outcome
  }

  while (!messages.some(({ type }) => type === 'ready')) await Promise.race([once(child, 'message'), ended])
  return {
    messages,
    order: async (order) => void (await ask(order)),
    stop: async () => (await ask({ do: 'stop' }))!,
    kill: () => child.kill('SIGKILL'),
  }
}
