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

/**
 * Adds members to a sorted set by the time they expire, drops what has expired, and gives the set the life of its last
 * member: KEYS[1]; KEYS[2], where given, is deleted; ARGV: nonce, now in ms, channel ('' for none), message, then members
 * and times in turn. Answers {nonce}.
 */
export const addMembers: Script = script(`
for i = 5, #ARGV, 2 do
  local known = redis.pcall('ZSCORE', KEYS[1], ARGV[i])
  if type(known) == 'table' then return known end
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    local done = redis.pcall('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
    if type(done) == 'table' then return done end
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
if KEYS[2] then redis.call('DEL', KEYS[2]) end
if ARGV[3] ~= '' then redis.pcall('PUBLISH', ARGV[3], ARGV[4]) end
return {ARGV[1]}
`)

/** Reads members in the order in which they expire: KEYS[1]; ARGV: nonce, from when, how many. Answers {nonce, {member, time, …}}. */
export const membersFrom: Script = script(`
local found = redis.pcall('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
if found.err then return found end
return {ARGV[1], found}
`)

function script(source: string): Script {
  const trimmed = source.trim()
  return { source: trimmed, sha1: hash('sha1', trimmed) }
}
