/**
 * What must happen in Redis as one. The first line makes Redis 7 refuse a script that writes as a whole when memory is
 * full, rather than in its middle.
 */

import { createHash } from 'node:crypto';

export interface RedisScript {
	readonly lua: string;
	readonly sha1: string;
	/** Runs where only reading is allowed. */
	readonly isReadOnly: boolean;
}

function script(lua: string): RedisScript {
	const isReadOnly = lua.startsWith('#!lua flags=no-writes\n');
	return { lua, sha1: createHash('sha1').update(lua).digest('hex'), isReadOnly };
}

/**
 * KEYS head, index; ARGV longest head, most items.
 * Gives the head, the SHA-1 of all of it, how many items there are, and the index unless it is too large.
 */
export const READ_INDEX = script(`#!lua flags=no-writes
local found = redis.call('GET', KEYS[1]) or ''
local count = redis.call('HLEN', KEYS[2])
local head = string.sub(found, 1, tonumber(ARGV[1]))
if count > tonumber(ARGV[2]) then return { head, redis.sha1hex(found), count } end
return { head, redis.sha1hex(found), count, redis.call('HGETALL', KEYS[2]) }
`);

/**
 * KEYS head, index, history, history:octets.
 * ARGV 1 SHA-1 of the head that is expected, 2 the new head, 3 its entry of the history, 4 octets of that entry and of
 * the items it keeps, 5 entries to keep, 6 octets to keep, 7 prefix, 8 channel, 9 "restore" to begin anew, then for
 * each change an id and what stands in the index: VERSION ETAG, or nothing for a removal.
 *
 * Items have been written before, to vanish by themselves; here they are made to stay. Gives OK, CONFLICT, or MISSING
 * where they had vanished already.
 */
export const COMMIT = script(`#!lua
local prefix = ARGV[7]
local function itemKey(id, version) return prefix .. 'item:' .. id .. '@' .. version end
local function versionOf(place) return string.match(place, '^%x+') or '' end

local function forget(entry)
  local ok, body = pcall(cjson.decode, string.match(entry, '^%S+ %S+ (.*)$') or '')
  if not ok or type(body) ~= 'table' or type(body.changed) ~= 'table' then return #entry end
  for _, change in ipairs(body.changed) do
    if type(change) == 'table' and type(change[1]) == 'string' and type(change[4]) == 'string' and change[4] ~= '' then
      redis.call('UNLINK', itemKey(change[1], change[4]))
    end
  end
  return tonumber(body.octets) or #entry
end

if redis.sha1hex(redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 'CONFLICT' end
for i = 10, #ARGV, 2 do
  if ARGV[i + 1] ~= '' and redis.call('EXISTS', itemKey(ARGV[i], versionOf(ARGV[i + 1]))) == 0 then return 'MISSING' end
end

if ARGV[9] == 'restore' then
  local old = redis.call('HGETALL', KEYS[2])
  for i = 1, #old, 2 do redis.call('UNLINK', itemKey(old[i], versionOf(old[i + 1]))) end
  for _, entry in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do forget(entry) end
  redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
end

for i = 10, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    redis.call('PERSIST', itemKey(ARGV[i], versionOf(ARGV[i + 1])))
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end

redis.call('LPUSH', KEYS[3], ARGV[3])
local octets = (tonumber(redis.call('GET', KEYS[4]) or '0') or 0) + tonumber(ARGV[4])
while redis.call('LLEN', KEYS[3]) > 1 and (redis.call('LLEN', KEYS[3]) > tonumber(ARGV[5]) or octets > tonumber(ARGV[6])) do
  octets = octets - forget(redis.call('RPOP', KEYS[3]))
end
redis.call('SET', KEYS[4], string.format('%.0f', math.max(0, octets)))
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[8], 'head')
return 'OK'
`);

/**
 * KEYS incarnation. Gives the next incarnation, and Redis's time in milliseconds. It is at least the time in seconds,
 * so that it rises although the counter was lost; what is no counter is written over.
 */
export const NEXT_INCARNATION = script(`#!lua
local time = redis.call('TIME')
local next = redis.pcall('INCR', KEYS[1])
if type(next) ~= 'number' or next < tonumber(time[1]) or next > 2 ^ 52 then
  next = tonumber(time[1])
  redis.call('SET', KEYS[1], time[1])
end
return { next, time[1] * 1000 + math.floor(time[2] / 1000) }
`);

/**
 * KEYS lease; ARGV its value, milliseconds. Gives 1 when it is ours now, or 0 when somebody has it. What would lapse
 * later than any lease, or never, is none, and keeps nobody out.
 */
export const ACQUIRE = script(`#!lua
local leftMs = redis.call('PTTL', KEYS[1])
if leftMs >= 0 and leftMs <= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** KEYS lease; ARGV its value, milliseconds. Gives 1, or 0 when it is not ours any more. */
export const RENEW = script(`#!lua
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

/** KEYS lease; ARGV its value. Gives it back when it is ours. */
export const RELEASE = script(`#!lua
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);

/** Notes who was heard of, in a sorted set by time that forgets those who were not for long; what is none goes. */
const NOTE_HEARD = `
local function noteHeard(key, keptMs, instance)
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  if redis.call('TYPE', key).ok ~= 'zset' then redis.call('DEL', key) end
  redis.call('ZADD', key, nowMs, instance)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', nowMs - tonumber(keptMs))
end
`;

/**
 * KEYS lease, record, probers; ARGV the lease's value, the record, milliseconds to keep it, instance, channel.
 * Gives 1, or 0 when the lease is not ours any more.
 */
export const PUBLISH_RECORD = script(`#!lua
${NOTE_HEARD}
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
noteHeard(KEYS[3], ARGV[3], ARGV[4])
redis.call('PUBLISH', ARGV[5], 'prober ' .. ARGV[4])
return 1
`);

/**
 * KEYS instance, instances; ARGV the note, milliseconds to keep it, instance. Those that were not heard of for so long
 * leave the set.
 */
export const ANNOUNCE = script(`#!lua
${NOTE_HEARD}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
noteHeard(KEYS[2], ARGV[2], ARGV[3])
return 1
`);
