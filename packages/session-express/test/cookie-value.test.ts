import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { cookieValue } from '../src/cookie-value.ts'

// What express-session reads its own cookie with, found as it finds it.
const theirs = createRequire(createRequire(import.meta.url).resolve('express-session'))
const { parse } = theirs('cookie') as { parse(header: string): Record<string, string | undefined> }

const sid = 'connect.sid=s%3Aid.signature'
const name = 'connect.sid.ct'

describe('the value of a cookie', () => {
  it.each([
    [`${name}=token`, 'token'],
    [`${sid}; ${name}=token; a=1`, 'token'],
    [`${sid};${name}=token`, 'token'],
    [`${sid};  ${name}=token`, 'token'],
    [`${sid};\t${name}=token`, 'token'],
    [` ${name}=token`, 'token'],
    [`${sid}; ${name} =token`, 'token'],
    [`${sid}; ${name}= token ; a=1`, 'token'],
    [`${sid}; ${name}="token"`, 'token'],
    [`${sid}; ${name}="token`, '"token'],
    [`${sid}; ${name}="`, ''],
    [`${sid}; ${name}=`, ''],
    [`${name}=first; ${name}=second`, 'first'],
    [`a;;=;${name}=token`, 'token'],
    [`x${name}=other`, undefined],
    [`${sid};x${name}=other`, undefined],
    [`${sid}; x${name}=other; ${name}=token`, 'token'],
    [`${sid};x${name}=other;${name}=token`, 'token'],
    [`${name}x=other`, undefined],
    [`a=${name}=other`, undefined],
    [`a="; ${name}"`, undefined],
    [name, undefined],
    [sid, undefined],
    ['', undefined],
  ])('in %j is %j, as the other parser has it', (header, value) => {
    expect(parse(header)[name]).toBe(value)
    expect(cookieValue(header, `${name}=`)).toBe(value)
  })
})
