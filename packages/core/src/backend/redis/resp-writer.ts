import { Buffer } from 'node:buffer'
import type { RedisCommand } from './port.ts'

/** How text is to be written: what is all ASCII takes a tenth of the time. */
type TextEncoding = 'latin1' | 'utf8'

/** The size of the buffer that is used again and again; what takes more gets one of its own. */
const spareSize = 65_536

/**
 * Puts commands together in RESP, and what others wrote, in their order. Text is joined as text, and each byte argument is
 * copied once, into the one buffer that all of it ends up in. That is the same one each time, as long as it comes back: memory
 * outside of V8's heap, though it is free again at once, makes V8 collect all of its garbage again and again.
 */
export class RespWriter {
  #spare: Buffer | undefined
  #isLent = false
  #parts: (string | Uint8Array)[] = []
  #text = ''
  /** The bytes of all parts. */
  #size = 0
  /** What the text has more of bytes than of UTF-16 units. */
  #wide = 0
  #isWide = false

  get size(): number {
    return this.#size + this.#text.length + this.#wide
  }

  /** How the text in it has to be written. */
  get encoding(): TextEncoding {
    return this.#isWide ? 'utf8' : 'latin1'
  }

  command(words: RedisCommand): void {
    let text = `${this.#text}*${words.length}\r\n`
    for (const word of words) {
      if (typeof word === 'string') {
        text += `$${this.#lengthOf(word)}\r\n${word}\r\n`
      } else {
        this.#push(`${text}$${word.length}\r\n`, word)
        text = '\r\n'
      }
    }
    this.#text = text
  }

  chunk(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') {
      this.#lengthOf(chunk)
      this.#text += chunk
    } else {
      this.#push(this.#text, chunk)
      this.#text = ''
    }
  }

  /** Counts the bytes of what is about to be text. */
  #lengthOf(text: string): number {
    const bytes = byteLength(text)
    if (bytes !== text.length) {
      this.#wide += bytes - text.length
      this.#isWide = true
    }
    return bytes
  }

  #push(text: string, bytes: Uint8Array): void {
    this.#parts.push(text, bytes)
    this.#size += text.length + this.#wide + bytes.length
    this.#wide = 0
  }

  /** Gives all that was put in, and is empty again: text where there were no bytes in it. Others may follow before these come back. */
  take(): string | Buffer {
    const { size, encoding } = this
    const parts = this.#parts
    const text = this.#text
    this.#text = ''
    this.#size = 0
    this.#wide = 0
    this.#isWide = false
    if (parts.length === 0) return text
    this.#parts = []
    const bytes = this.#bufferOf(size)
    let at = 0
    for (const part of parts) {
      if (typeof part === 'string') at += bytes.write(part, at, encoding)
      else {
        bytes.set(part, at)
        at += part.length
      }
    }
    bytes.write(text, at, encoding)
    return bytes
  }

  /** Whoever took the last bytes needs them no more. */
  giveBack(): void {
    this.#isLent = false
  }

  #bufferOf(size: number): Buffer {
    if (size > spareSize || this.#isLent) return Buffer.allocUnsafe(size)
    this.#isLent = true
    this.#spare ??= Buffer.allocUnsafeSlow(spareSize)
    return this.#spare.subarray(0, size)
  }
}

/** Counts short words itself, as most are: in less time than a call into Node takes. */
function byteLength(text: string): number {
  if (text.length > 16) return Buffer.byteLength(text)
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

/** Gives one command in RESP. */
export function encodeCommand(words: RedisCommand): string | Buffer {
  const writer = new RespWriter()
  writer.command(words)
  return writer.take()
}
