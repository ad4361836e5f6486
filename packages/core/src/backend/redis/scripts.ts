import { hash } from 'node:crypto'

/** A Lua script and the digest under which Redis keeps it. */
export interface Script {
  readonly source: string
  readonly sha1: string
}

/**
 * Stores a value where its condition holds: KEYS[1]; ARGV: nonce, value, ttl in ms ('' for none), version ('' for "only
 * where there are no bytes"). Answers {nonce, 1}, or {nonce, 0, what stands there}. The nonce proves whose answer it is.
 */
export const setIf: Script = script(`
local current = redis.pcall('GET', KEYS[1])
if type(current) == 'table' then
  if not string.find(current.err, 'WRONGTYPE', 1, true) then return current end
  current = false
end
if ARGV[4] == '' then
  if current then return {ARGV[1], 0, current} end
elseif not current or redis.sha1hex(current) ~= ARGV[4] then
  return {ARGV[1], 0, current}
end
local done
if ARGV[3] == '' then
  done = redis.pcall('SET', KEYS[1], ARGV[2])
else
  done = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if done.err then return done end
return {ARGV[1], 1}
`)

/** Reads a value beside the nonce of the call: KEYS[1]; ARGV: nonce. Answers {nonce, value}. */
export const getBound: Script = script(`
local current = redis.pcall('GET', KEYS[1])
if type(current) == 'table' then return current end
return {ARGV[1], current}
`)

function script(source: string): Script {
  const trimmed = source.trim()
  return { source: trimmed, sha1: hash('sha1', trimmed) }
}
