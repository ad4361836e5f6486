import fc from 'fast-check'
import { Command } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { EncodedCommand } from '../src/backend/redis/encoded-command.ts'
import type { Argument } from '../src/backend/redis/port.ts'
import { encodeCommand, RespWriter } from '../src/backend/redis/resp-writer.ts'

const argument = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
)
const command = fc
  .tuple(fc.constantFrom('SET', 'EVALSHA', 'PEXPIRE'), fc.array(argument, { maxLength: 6 }))
  .map(([name, args]): [string, ...Argument[]] => [name, ...args])

describe('an encoded command', () => {
  it('is what ioredis would have written', () => {
    fc.assert(
      fc.property(command, ([name, ...args]) => {
        const theirs = Buffer.from(new Command(name, [...args]).toWritable({}) as string)
        const bytes = Buffer.from(encodeCommand([name, ...args]) as string)
        expect(bytes.equals(theirs)).toBe(true)
        const ours = new EncodedCommand([name, ...args]).toWritable({})
        expect(Buffer.from(ours as string).equals(theirs)).toBe(true)
      }),
    )
  })

  it('rejects with an error that holds none of its arguments', async () => {
    const failing = new EncodedCommand(['GET', 'secret'])
    failing.reject(Object.assign(new Error('ERR no'), { command: { name: 'get', args: ['secret'] } }))
    const error = await failing.promise.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: 'ERR no' })
    expect(error).not.toHaveProperty('command')
  })

  it('gives what is read of its reply, or the error of reading it', async () => {
    const read = new EncodedCommand(['GET', 'key'], String)
    read.resolve(Buffer.from('value'))
    await expect(read.promise).resolves.toBe('value')
    const unreadable = new EncodedCommand(['GET', 'key'], () => {
      throw new RangeError('unreadable')
    })
    unreadable.resolve(Buffer.from('value'))
    await expect(unreadable.promise).rejects.toThrow(RangeError)
  })
})

describe('a writer of commands', () => {
  it('joins what is put in, in its order, and is empty after it is taken', () => {
    const piece = fc.oneof(
      command.map((words) => ({ words })),
      argument.map((chunk) => ({ chunk })),
    )
    const writer = new RespWriter()
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        for (const each of pieces) {
          if ('words' in each) writer.command(each.words)
          else writer.chunk(each.chunk)
        }
        const expected = Buffer.concat(
          pieces.map((each) =>
            Buffer.from(('words' in each ? encodeCommand(each.words) : each.chunk) as string),
          ),
        )
        expect(writer.size).toBe(expected.length)
        expect(Buffer.from(writer.take() as string).equals(expected)).toBe(true)
        expect(writer.size).toBe(0)
      }),
    )
  })
})
