import { Command } from 'ioredis'
import { writesCommands } from './cork.ts'
import type { RedisCommand, Reply } from './port.ts'
import { withoutArguments } from './replies.ts'
import { encodeCommand } from './resp-writer.ts'

/** What of a command is ours to make; ioredis' types hide how its promise comes about. */
interface OpenCommand extends Pick<Command, 'args' | 'promise' | 'resolve' | 'isResolved' | 'isSettled'> {
  reject: (error: unknown) => void
  toWritable(socket: object): string | Buffer
  transformReply(reply: unknown): unknown
}

const OpenCommand = Command as unknown as new (
  name: string,
  args: [],
  options: { readonly replyEncoding: null },
) => OpenCommand

/**
 * A command of ioredis that writes itself, and gives what is read from its reply. ioredis puts a command that carries
 * bytes together from a dozen small buffers, which is a third of what a small SET costs; every promise behind its own is
 * one more turn until the caller has the answer; and its own looks for timers, transformers and text that ours never have.
 */
export class EncodedCommand extends OpenCommand {
  readonly #words: RedisCommand
  readonly #read: ((reply: Reply) => unknown) | undefined

  constructor(words: RedisCommand, read?: (reply: Reply) => unknown) {
    super(lowerCase(words[0]), [], { replyEncoding: null })
    this.#words = words
    this.#read = read
    const { reject } = this
    // Here, so that nothing leaks should another ioredis make its promises in another way.
    this.reject = (error) => reject(withoutArguments(error))
  }

  /** Tells ioredis the arguments, by which a Cluster finds the slot; nothing else it does needs them. */
  withArguments(): this {
    this.args = this.#words.slice(1)
    return this
  }

  /** In the place of ioredis' own, and like it called when a command is made. */
  initPromise(): void {
    this.promise = new Promise((resolve, reject) => {
      this.reject = reject
      this.resolve = (reply: unknown) => {
        try {
          resolve(this.transformReply(reply))
          this.isResolved = true
          this.isSettled = true
        } catch (error) {
          this.reject(error)
        }
      }
    })
  }

  override toWritable(socket: object): string | Buffer {
    return writesCommands(socket) ? (this.#words as never) : encodeCommand(this.#words)
  }

  override transformReply(reply: unknown): unknown {
    return this.#read ? this.#read(reply as Reply) : reply
  }
}

/** ioredis asks several times for the name of each command in lower case. */
const lowerCased = new Map<string, string>()

function lowerCase(name: string): string {
  let lower = lowerCased.get(name)
  if (lower === undefined) lowerCased.set(name, (lower = name.toLowerCase()))
  return lower
}
