import { describe, expect, it } from 'vitest'
import { classify } from '../src/availability/classify.ts'
import { HoldfastError } from '../src/errors.ts'

/** As ioredis raises them; the real errors of both clients are in `faults.redis.test.ts`. */
function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

const socket = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

describe('classify', () => {
  it.each([
    [socket('ECONNREFUSED'), 'unavailable', 'ECONNREFUSED'],
    [socket('ECONNRESET'), 'unavailable', 'ECONNRESET'],
    [socket('EPIPE'), 'unavailable', 'EPIPE'],
    [socket('ETIMEDOUT'), 'unavailable', 'ETIMEDOUT'],
    [socket('ENOTFOUND'), 'misconfigured', 'ENOTFOUND'],
    [socket('SELF_SIGNED_CERT_IN_CHAIN'), 'misconfigured', 'SELF_SIGNED_CERT_IN_CHAIN'],
    [socket('ERR_TLS_CERT_ALTNAME_INVALID'), 'misconfigured', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [new Error('Connection is closed.'), 'unavailable', 'CONNECTION_LOST'],
    [
      new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      'unavailable',
      'CONNECTION_LOST',
    ],
    [reply('LOADING Redis is loading the dataset in memory'), 'unavailable', 'LOADING'],
    [reply('BUSY Redis is busy running a script.'), 'unavailable', 'BUSY'],
    [reply('MASTERDOWN Link with MASTER is down'), 'unavailable', 'MASTERDOWN'],
    [reply('CLUSTERDOWN The cluster is down'), 'unavailable', 'CLUSTERDOWN'],
    [reply('ERR max number of clients reached'), 'unavailable', 'MAXCLIENTS'],
    [reply("READONLY You can't write against a read only replica."), 'writes-unavailable', 'READONLY'],
    [reply("OOM command not allowed when used memory > 'maxmemory'."), 'writes-unavailable', 'OOM'],
    [reply('MISCONF Redis is configured to save RDB snapshots'), 'writes-unavailable', 'MISCONF'],
    [reply('NOREPLICAS Not enough good replicas to write.'), 'writes-unavailable', 'NOREPLICAS'],
    [reply('WRONGPASS invalid username-password pair'), 'misconfigured', 'WRONGPASS'],
    [reply('NOAUTH Authentication required.'), 'misconfigured', 'NOAUTH'],
    [reply("NOPERM this user has no permissions to run the 'set' command"), 'misconfigured', 'NOPERM'],
    [reply('ERR DB index is out of range'), 'misconfigured', 'DB_OUT_OF_RANGE'],
    [reply('MOVED 3999 127.0.0.1:6381'), 'misconfigured', 'MOVED'],
    [reply('ASK 3999 127.0.0.1:6381'), 'misconfigured', 'ASK'],
    [reply('WRONGTYPE Operation against a key holding the wrong kind of value'), 'rejected', 'WRONGTYPE'],
    [reply("CROSSSLOT Keys in request don't hash to the same slot"), 'rejected', 'CROSSSLOT'],
    [reply('ERR value is not an integer or out of range'), 'rejected', 'ERR'],
    [new Error('Unknown RESP type "?"'), 'integrity', 'PROTOCOL'],
    [Object.assign(new Error('shifted'), { integrity: true }), 'integrity', 'FOREIGN_REPLY'],
    [
      new HoldfastError('ERR_HOLDFAST_VALUE_TOO_LARGE', 'too large'),
      'rejected',
      'ERR_HOLDFAST_VALUE_TOO_LARGE',
    ],
    [new HoldfastError('ERR_HOLDFAST_CLOSED', 'closed'), 'unavailable', 'ERR_HOLDFAST_CLOSED'],
    [undefined, 'unavailable', 'CONNECTION_LOST'],
    ['a string', 'unavailable', 'CONNECTION_LOST'],
  ])('sorts %s as %s', (error, kind, code) => {
    expect(classify(error)).toMatchObject({ kind, code })
  })

  it('gives an operator something to do about a misconfiguration', () => {
    expect(classify(reply('WRONGPASS invalid username-password pair')).hint).toMatch(/password/)
    expect(classify(reply('MOVED 3999 127.0.0.1:6381')).hint).toMatch(/ioredis `Cluster`/)
    expect(classify(socket('ENOTFOUND')).hint).toMatch(/host name/)
    expect(classify(new Error('Unknown RESP type 72 "H"')).hint).toMatch(/rediss:/)
  })
})
