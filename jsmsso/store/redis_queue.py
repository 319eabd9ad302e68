"""Writes that wait for JSM, and pauses, in Redis.

``write:PERSON`` is a hash; ``writes`` and ``writes_by_age`` are sorted sets of persons by due time and by creation;
``writes_failing`` and ``writes_of_email:EMAIL`` are sets of persons. ``pauses`` is a sorted set of names by their end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jsmsso.store.records import Write, WriteCount
from jsmsso.store.redis_accounts import person_key
from jsmsso.store.redis_server import RedisServer, fields, texts

_PUT = """
local prefix, person, issuer, subject, provider, email, content, now, due = unpack(ARGV)
local key = prefix .. 'write:' .. person
local old = redis.call('HGET', key, 'email')
if old then
  redis.call('SREM', prefix .. 'writes_of_email:' .. old, person)
  redis.call('HINCRBY', key, 'version', 1)
else
  redis.call('HSET', key, 'issuer', issuer, 'subject', subject, 'version', 1, 'created', now, 'attempts', 0,
    'reason', '', 'error', '', 'lease_owner', '', 'lease_until', 0)
  redis.call('ZADD', prefix .. 'writes_by_age', now, person)
end
redis.call('HSET', key, 'provider', provider, 'email', email, 'content', content, 'due', due)
redis.call('SADD', prefix .. 'writes_of_email:' .. email, person)
redis.call('ZADD', prefix .. 'writes', due, person)
"""

_LEASE = """
local prefix, owner, now, ends = unpack(ARGV)
local from = 0
while true do
  local found = redis.call('ZRANGEBYSCORE', prefix .. 'writes', '-inf', now, 'LIMIT', from, 100)
  for _, person in ipairs(found) do
    local key = prefix .. 'write:' .. person
    local held_until = redis.call('HGET', key, 'lease_until')
    if held_until and tonumber(held_until) < tonumber(now) then
      redis.call('HSET', key, 'lease_owner', owner, 'lease_until', ends)
      return redis.call('HGETALL', key)
    end
  end
  if #found < 100 then return {} end
  from = from + 100
end
"""

_LEASE_OF = """
local prefix, person, owner, now, ends = unpack(ARGV)
local key = prefix .. 'write:' .. person
local held = redis.call('HMGET', key, 'lease_owner', 'lease_until')
if not held[1] or (held[1] ~= owner and tonumber(held[2]) >= tonumber(now)) then return {} end
redis.call('HSET', key, 'lease_owner', owner, 'lease_until', ends)
return redis.call('HGETALL', key)
"""

_DROP_WHOLE = """
local function drop(prefix, person)
  local key = prefix .. 'write:' .. person
  redis.call('SREM', prefix .. 'writes_of_email:' .. (redis.call('HGET', key, 'email') or ''), person)
  redis.call('SREM', prefix .. 'writes_failing', person)
  redis.call('ZREM', prefix .. 'writes', person)
  redis.call('ZREM', prefix .. 'writes_by_age', person)
  return redis.call('DEL', key)
end
"""

_FINISH = f"""{_DROP_WHOLE}
local prefix, person, owner, version = unpack(ARGV)
local key = prefix .. 'write:' .. person
local now = redis.call('HMGET', key, 'lease_owner', 'version')
if now[1] ~= owner then return 0 end
if now[2] == version then return drop(prefix, person) end
redis.call('HSET', key, 'lease_owner', '', 'lease_until', 0)
return 0
"""

_POSTPONE = """
local prefix, person, owner, version, due, reason, error = unpack(ARGV)
local key = prefix .. 'write:' .. person
local now = redis.call('HMGET', key, 'lease_owner', 'version')
if now[1] ~= owner then return end
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('HSET', key, 'reason', reason, 'error', error, 'lease_owner', '', 'lease_until', 0)
redis.call('SADD', prefix .. 'writes_failing', person)
if now[2] == version then
  redis.call('HSET', key, 'due', due)
  redis.call('ZADD', prefix .. 'writes', due, person)
end
"""

_DROP = f"""{_DROP_WHOLE}
local prefix, person, unheld_at = unpack(ARGV)
local held = redis.call('HGET', prefix .. 'write:' .. person, 'lease_until')
if not held or tonumber(held) >= tonumber(unheld_at) then return 0 end
return drop(prefix, person)
"""


class RedisQueue(RedisServer):
    """A part of :class:`RedisStore`; :class:`jsmsso.store.interface.Store` says what each does."""

    def put_write(self, issuer: str, subject: str, provider: str, email: str, content: str, *, now: float, due: float) -> None:
        self._script(_PUT, person_key(issuer, subject), issuer, subject, provider, email, content, now, due)

    def write_of(self, issuer: str, subject: str) -> Write | None:
        found = self._writes([person_key(issuer, subject)])
        return found[0] if found else None

    def lease_write(self, owner: str, *, now: float, until: float) -> Write | None:
        return _write(self._script(_LEASE, owner, now, until))

    def lease_write_of(self, issuer: str, subject: str, owner: str, *, now: float, until: float) -> Write | None:
        return _write(self._script(_LEASE_OF, person_key(issuer, subject), owner, now, until))

    def finish_write(self, write: Write) -> bool:
        return bool(self._script(_FINISH, person_key(write.issuer, write.subject), write.lease_owner, write.version))

    def postpone_write(self, write: Write, *, due: float, reason: str, error: str) -> None:
        self._script(_POSTPONE, person_key(write.issuer, write.subject), write.lease_owner, write.version, due, reason, error)

    def writes(self, *, failing_only: bool = False, limit: int = 1000) -> list[Write]:
        persons = texts(self._read(lambda redis: redis.zrange(self._key("writes_by_age"), 0, -1)))
        if failing_only:
            failing = set(texts(self._read(lambda redis: redis.smembers(self._key("writes_failing")))))
            persons = [person for person in persons if person in failing]
        return self._writes(persons[:limit])

    def count_writes(self) -> WriteCount:
        waiting, failing = self._pipeline(lambda pipeline: pipeline.zcard(self._key("writes")).scard(self._key("writes_failing")))
        return WriteCount(waiting, failing)

    def pause(self, name: str, until: float) -> None:
        self._write(lambda redis: redis.zadd(self._key("pauses"), {name: until}, gt=True))

    def paused_until(self, name: str) -> float:
        return float(self._read(lambda redis: redis.zscore(self._key("pauses"), name)) or 0.0)

    def _drop_write(self, person: str, *, unheld_at: float = float("inf")) -> int:
        return int(self._script(_DROP, person, unheld_at))

    def _writes(self, persons: Iterable[str]) -> list[Write]:
        wanted = list(persons)
        answers = self._pipeline(lambda pipeline: [pipeline.hgetall(self._key("write", person)) for person in wanted])
        return [write for answer in answers if (write := _write(answer)) is not None]


def _write(answer: Any) -> Write | None:
    if not answer:
        return None
    stored = fields(answer)
    return Write(
        stored["issuer"], stored["subject"], stored["provider"], stored["email"], stored["content"], int(stored["version"]),
        float(stored["created"]), float(stored["due"]), int(stored["attempts"]), stored["reason"], stored["error"],
        stored["lease_owner"], float(stored["lease_until"]),
    )  # fmt: skip
