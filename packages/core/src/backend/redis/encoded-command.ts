import { Command } from 'ioredis'
import { writesCommands } from './cork.ts'
import type { RedisCommand, Reply } from './port.ts'
import { withoutArguments } from './replies.ts'
import { encodeCommand } from './resp-writer.ts'

/**
 * A command of ioredis that writes itself, and gives what is read from its reply. ioredis puts a command that carries
 * bytes together from a dozen small buffers, which is a third of what a small SET costs; and every promise behind its own
 * is one more turn until the caller has the answer.
 */
export class EncodedCommand extends Command {
  readonly #words: RedisCommand
  readonly #read: ((reply: Reply) => unknown) | undefined

  constructor(words: RedisCommand, read?: (reply: Reply) => unknown) {
    super(lowerCase(words[0]), [], { replyEncoding: null })
    this.#words = words
    this.#read = read
    this.args = words.slice(1)
    const { reject } = this
    this.reject = (error) => reject(withoutArguments(error))
  }

  override toWritable(socket: object): string | Buffer {
    return writesCommands(socket) ? (this.#words as never) : encodeCommand(this.#words)
  }

  override transformReply(reply: unknown): never {
    return (this.#read ? this.#read(reply as Reply) : reply) as never
  }
}

/** ioredis asks several times for the name of each command in lower case. */
const lowerCased = new Map<string, string>()

function lowerCase(name: string): string {
  let lower = lowerCased.get(name)
  if (lower === undefined) lowerCased.set(name, (lower = name.toLowerCase()))
  return lower
}
