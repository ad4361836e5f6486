import { Buffer } from 'node:buffer'
import type { RedisCommand } from './port.ts'

/**
 * Puts commands together in RESP, and what others wrote, in their order. Text is joined as text, and each byte argument is
 * copied once, into the one buffer that all of it ends up in.
 */
export class RespWriter {
  #parts: (string | Uint8Array)[] = []
  #text = ''
  /** The bytes of all that is here; of `#text`, what it has more of them than UTF-16 units. */
  #size = 0

  get size(): number {
    return this.#size + this.#text.length
  }

  command(words: RedisCommand): void {
    let text = `${this.#text}*${words.length}\r\n`
    for (const word of words) {
      if (typeof word === 'string') {
        const bytes = Buffer.byteLength(word)
        this.#size += bytes - word.length
        text += `$${bytes}\r\n${word}\r\n`
      } else {
        text += `$${word.length}\r\n`
        this.#parts.push(text, word)
        this.#size += text.length + word.length
        text = '\r\n'
      }
    }
    this.#text = text
  }

  chunk(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') {
      this.#size += Buffer.byteLength(chunk) - chunk.length
      this.#text += chunk
    } else {
      this.#parts.push(this.#text, chunk)
      this.#size += this.#text.length + chunk.length
      this.#text = ''
    }
  }

  /** Gives all that was put in, and is empty again: text where there were no bytes in it. */
  take(): string | Buffer {
    const { size } = this
    const parts = this.#parts
    const text = this.#text
    this.#text = ''
    this.#size = 0
    if (parts.length === 0) return text
    this.#parts = []
    const bytes = Buffer.allocUnsafe(size)
    let at = 0
    for (const part of parts) {
      if (typeof part === 'string') at += bytes.write(part, at)
      else {
        bytes.set(part, at)
        at += part.length
      }
    }
    bytes.write(text, at)
    return bytes
  }
}

/** Gives one command in RESP. */
export function encodeCommand(words: RedisCommand): string | Buffer {
  const writer = new RespWriter()
  writer.command(words)
  return writer.take()
}
