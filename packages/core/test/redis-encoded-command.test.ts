import fc from 'fast-check'
import { Command } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { encodeCommand, EncodedCommand } from '../src/backend/redis/encoded-command.ts'

describe('an encoded command', () => {
  it('is what ioredis would have written', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom('SET', 'EVALSHA', 'PEXPIRE'),
        fc.array(argument, { maxLength: 6 }),
        (name, args) => {
          const theirs = Buffer.from(new Command(name, [...args]).toWritable({}) as string)
          expect(Buffer.compare(encodeCommand(name, args), theirs)).toBe(0)
          expect(
            Buffer.compare(Buffer.from(new EncodedCommand(name, args).toWritable({}) as string), theirs),
          ).toBe(0)
        },
      ),
    )
  })
})
