import { HoldfastError } from '../errors.ts'

/**
 * What a failure says about the primary.
 *
 * - `unavailable`: it cannot be asked now. Reads and writes degrade.
 * - `writes-unavailable`: it answers reads and refuses writes. Only writes degrade.
 * - `misconfigured`: it will not serve us until an operator acts. Degrades like `unavailable`, with a hint.
 * - `rejected`: this one command is at fault, not the primary. Nothing degrades.
 * - `integrity`: an answer was not ours. The connection is dropped with all that is in flight on it.
 */
export type FaultKind = 'unavailable' | 'writes-unavailable' | 'misconfigured' | 'rejected' | 'integrity'

/** A failure, sorted. */
export interface Fault {
  readonly kind: FaultKind
  /** A literal that is safe to log: an errno (`ECONNREFUSED`), the first word of a reply (`OOM`), or one of ours. */
  readonly code: string
  /** What an operator can do about it. */
  readonly hint: string | undefined
  /** The primary itself (or the operating system) said so; no second failure is needed to believe it. */
  readonly definite: boolean
  /** The client's error, as `cause` for ours. */
  readonly error: unknown
}

/** The call was not answered within the operation timeout. */
export const deadlineFault: Fault = fault('unavailable', 'DEADLINE', { definite: false })
/** The client reported its connection closed. */
export const lostFault: Fault = fault('unavailable', 'CONNECTION_LOST', { definite: true })
/** We closed the connection ourselves, for good. */
export const closedFault: Fault = fault('unavailable', 'CLOSED', { definite: true })
/** An answer that belongs to another key arrived. */
export const foreignReplyFault: Fault = fault('integrity', 'FOREIGN_REPLY', { definite: true })

interface Row {
  readonly kind: FaultKind
  readonly code: string
  readonly hint?: string
}

const credentials = 'check the user name and password in the Redis URL'
const permissions = 'allow this user the commands and keys Holdfast needs: see docs/redis.md'
const cluster =
  'this is one node of a Cluster: give an ioredis `Cluster`, or a cluster of node-redis, instead of its URL'
const certificate = 'check the certificate and the CA that the client trusts (NODE_EXTRA_CA_CERTS or tls.ca)'

/** First words of Redis' error replies. */
const replies: Readonly<Record<string, Row>> = {
  LOADING: { kind: 'unavailable', code: 'LOADING' },
  BUSY: { kind: 'unavailable', code: 'BUSY', hint: 'a Lua script blocks Redis: SCRIPT KILL ends it' },
  MASTERDOWN: { kind: 'unavailable', code: 'MASTERDOWN' },
  CLUSTERDOWN: { kind: 'unavailable', code: 'CLUSTERDOWN' },
  TRYAGAIN: { kind: 'unavailable', code: 'TRYAGAIN' },
  UNBLOCKED: { kind: 'unavailable', code: 'UNBLOCKED' },
  READONLY: {
    kind: 'writes-unavailable',
    code: 'READONLY',
    hint: 'this is a replica: point the URL at the primary, or wait for the failover to end',
  },
  OOM: {
    kind: 'writes-unavailable',
    code: 'OOM',
    hint: 'Redis is at maxmemory: raise it or set an eviction policy',
  },
  MISCONF: {
    kind: 'writes-unavailable',
    code: 'MISCONF',
    hint: 'Redis cannot save to disk: look at its log for the failing BGSAVE',
  },
  NOREPLICAS: { kind: 'writes-unavailable', code: 'NOREPLICAS', hint: 'too few replicas are in sync' },
  NOAUTH: { kind: 'misconfigured', code: 'NOAUTH', hint: credentials },
  WRONGPASS: { kind: 'misconfigured', code: 'WRONGPASS', hint: credentials },
  NOPERM: { kind: 'misconfigured', code: 'NOPERM', hint: permissions },
  NOPROTO: {
    kind: 'misconfigured',
    code: 'NOPROTO',
    hint: 'this server is too old: Redis 6.2 or later is needed',
  },
  // The client of a cluster follows these itself.
  MOVED: { kind: 'misconfigured', code: 'MOVED', hint: cluster },
  ASK: { kind: 'misconfigured', code: 'ASK', hint: cluster },
  DENIED: {
    kind: 'misconfigured',
    code: 'DENIED',
    hint: 'Redis is in protected mode: set a password or bind address',
  },
}

/** Codes that Node, TLS and the clients put on their errors. */
const codes: Readonly<Record<string, Row>> = {
  ENOTFOUND: { kind: 'misconfigured', code: 'ENOTFOUND', hint: 'the host name of the Redis URL is unknown' },
  EACCES: { kind: 'misconfigured', code: 'EACCES', hint: 'this process may not open the Redis socket' },
  SELF_SIGNED_CERT_IN_CHAIN: { kind: 'misconfigured', code: 'SELF_SIGNED_CERT_IN_CHAIN', hint: certificate },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    kind: 'misconfigured',
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    hint: certificate,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    kind: 'misconfigured',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    hint: certificate,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    kind: 'misconfigured',
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    hint: certificate,
  },
  CERT_HAS_EXPIRED: { kind: 'misconfigured', code: 'CERT_HAS_EXPIRED', hint: certificate },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    kind: 'misconfigured',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    hint: certificate,
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    kind: 'misconfigured',
    code: 'ERR_SSL_WRONG_VERSION_NUMBER',
    hint: 'this port does not speak TLS: use redis:// instead of rediss://',
  },
}

/** Messages of errors that carry neither code nor reply word, in lower case. */
const phrases: readonly (readonly [phrase: string, row: Row])[] = [
  [
    'max number of clients',
    { kind: 'unavailable', code: 'MAXCLIENTS', hint: 'raise maxclients or close idle connections' },
  ],
  [
    'maximum number of clients',
    { kind: 'unavailable', code: 'MAXCLIENTS', hint: 'raise maxclients or close idle connections' },
  ],
  [
    'db index is out of range',
    {
      kind: 'misconfigured',
      code: 'DB_OUT_OF_RANGE',
      hint: 'the database number of the Redis URL does not exist',
    },
  ],
  [
    'invalid db index',
    {
      kind: 'misconfigured',
      code: 'DB_OUT_OF_RANGE',
      hint: 'the database number of the Redis URL does not exist',
    },
  ],
  ['called without any password configured', { kind: 'misconfigured', code: 'WRONGPASS', hint: credentials }],
  ['invalid password', { kind: 'misconfigured', code: 'WRONGPASS', hint: credentials }],
  ['unknown command', { kind: 'misconfigured', code: 'UNKNOWN_COMMAND', hint: permissions }],
  [
    'unsupported',
    { kind: 'misconfigured', code: 'UNSUPPORTED', hint: 'this server lacks a command Holdfast needs' },
  ],
  [
    'unknown resp type',
    {
      kind: 'integrity',
      code: 'PROTOCOL',
      hint: 'what answers there does not speak as Redis does: check host and port, and rediss:// where it wants TLS',
    },
  ],
  ['protocol error', { kind: 'integrity', code: 'PROTOCOL' }],
  ['command queue state error', { kind: 'integrity', code: 'PROTOCOL' }],
]

/** Sorts an error that a client raised. What is not known is a command's own fault if Redis replied, else `unavailable`. */
export function classify(error: unknown): Fault {
  if (error instanceof HoldfastError) return fault(ourKind(error), error.code, { error })
  const { code, message = '', name } = (error ?? {}) as { code?: unknown; message?: string; name?: string }
  if ((error as { integrity?: unknown } | undefined)?.integrity === true)
    return { ...foreignReplyFault, error }

  const lower = String(message).toLowerCase()
  const known =
    (typeof code === 'string' ? codes[code] : undefined) ??
    replies[/^[A-Z]{3,}\b/.exec(String(message))?.[0] ?? ''] ??
    phrases.find(([phrase]) => lower.includes(phrase))?.[1]
  if (known) return fault(known.kind, known.code, { hint: known.hint, error })

  if (isReply(error, name)) return fault('rejected', replyWord(message), { error })
  if (typeof code === 'string') return fault('unavailable', code, { error })
  return fault('unavailable', 'CONNECTION_LOST', { error, definite: false })
}

/** What it means that the connection is lost, where the client gives a cause: that of a single command is none. */
export function faultOfLoss(cause: unknown): Fault {
  const fault = cause ? classify(cause) : lostFault
  if (fault.kind === 'rejected' || fault.kind === 'writes-unavailable') return lostFault
  return { ...fault, definite: true }
}

function ourKind(error: HoldfastError): FaultKind {
  return error.code === 'ERR_HOLDFAST_CLOSED' || error.code === 'ERR_HOLDFAST_UNAVAILABLE'
    ? 'unavailable'
    : 'rejected'
}

/** ioredis names its error replies `ReplyError`; node-redis has classes for them whose instances are all named `Error`. */
function isReply(error: unknown, name: string | undefined): boolean {
  if (name === 'ReplyError') return true
  const constructor = (error as { constructor?: { name?: string } } | undefined)?.constructor?.name ?? ''
  return /^(Simple|Blob|Multi)?Error(Reply)?$/.test(constructor) && constructor !== 'Error'
}

function replyWord(message: string): string {
  return /^[A-Z]{3,}\b/.exec(message)?.[0] ?? 'ERR'
}

function fault(
  kind: FaultKind,
  code: string,
  { hint, definite = true, error }: { hint?: string | undefined; definite?: boolean; error?: unknown } = {},
): Fault {
  return { kind, code, hint, definite, error }
}
