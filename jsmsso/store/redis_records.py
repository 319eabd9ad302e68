"""Records that expire, leases on them, and who may not log in, in Redis.

``record:KIND:KEY`` is a hash; ``records:KIND`` a sorted set of keys by expiry; ``kinds`` the set of kinds;
``owned:EMAIL`` a sorted set of records by expiry. ``lease:KIND:KEY`` is a hash. ``bars`` is a hash by key.
"""

from __future__ import annotations

import json
import math
from typing import Any

from jsmsso.store.records import Bar
from jsmsso.store.redis_server import CLOCKS_DIFFER_SECONDS, RedisServer, text

_INDEX = """
local function index(prefix, kind, key, owner, expires, deleted_at)
  redis.call('EXPIREAT', prefix .. 'record:' .. kind .. ':' .. key, deleted_at)
  redis.call('SADD', prefix .. 'kinds', kind)
  redis.call('ZADD', prefix .. 'records:' .. kind, expires, key)
  if owner ~= '' then
    local owned = prefix .. 'owned:' .. owner
    redis.call('ZADD', owned, expires, cjson.encode({kind, key}))
    local margin = tonumber(deleted_at) - tonumber(expires)
    redis.call('EXPIREAT', owned, math.ceil(tonumber(redis.call('ZREVRANGE', owned, 0, 0, 'WITHSCORES')[2]) + margin))
  end
end
"""

_PUT = f"""{_INDEX}
local prefix, kind, key, value, owner, expires, deleted_at = unpack(ARGV)
local record = prefix .. 'record:' .. kind .. ':' .. key
local old = redis.call('HGET', record, 'owner')
if old and old ~= owner then redis.call('ZREM', prefix .. 'owned:' .. old, cjson.encode({{kind, key}})) end
redis.call('HSET', record, 'value', value, 'owner', owner, 'expires', expires)
index(prefix, kind, key, owner, expires, deleted_at)
"""

_REPLACE = f"""{_INDEX}
local prefix, kind, key, old, value, expires, deleted_at = unpack(ARGV)
local record = prefix .. 'record:' .. kind .. ':' .. key
local now = redis.call('HMGET', record, 'value', 'owner')
if now[1] ~= old then return 0 end
redis.call('HSET', record, 'value', value, 'expires', expires)
index(prefix, kind, key, now[2], expires, deleted_at)
return 1
"""

# Deletes a record that expires before a time; '+inf' deletes it whenever it does.
_DROP = """
local prefix, kind, key, before = unpack(ARGV)
local record = prefix .. 'record:' .. kind .. ':' .. key
local old = redis.call('HMGET', record, 'owner', 'expires')
if old[2] and tonumber(old[2]) >= tonumber(before) then return 0 end
redis.call('ZREM', prefix .. 'records:' .. kind, key)
if old[1] then redis.call('ZREM', prefix .. 'owned:' .. old[1], cjson.encode({kind, key})) end
return redis.call('DEL', record)
"""

_LEASE = """
local prefix, kind, key, owner, now, ends, deleted_at = unpack(ARGV)
local lease = prefix .. 'lease:' .. kind .. ':' .. key
local held = redis.call('HMGET', lease, 'owner', 'until')
if held[1] and held[1] ~= owner and tonumber(held[2]) >= tonumber(now) then return 0 end
redis.call('HSET', lease, 'owner', owner, 'until', ends)
redis.call('EXPIREAT', lease, deleted_at)
return 1
"""

_FREE = """
local prefix, kind, key, owner = unpack(ARGV)
local lease = prefix .. 'lease:' .. kind .. ':' .. key
if redis.call('HGET', lease, 'owner') == owner then redis.call('DEL', lease) end
"""

_UNBAR = """
local prefix, email = unpack(ARGV)
local bars, gone = redis.call('HGETALL', prefix .. 'bars'), 0
for i = 1, #bars, 2 do
  if cjson.decode(bars[i + 1]).email == email then gone = gone + redis.call('HDEL', prefix .. 'bars', bars[i]) end
end
return gone
"""


class RedisRecords(RedisServer):
    """A part of :class:`RedisStore`; :class:`jsmsso.store.interface.Store` says what each does."""

    def bar(self, key: str, *, email: str, at: float) -> None:
        self._write(lambda redis: redis.hset(self._key("bars"), key, json.dumps({"email": email, "at": at})))

    def unbar(self, email: str) -> int:
        return int(self._script(_UNBAR, email))

    def is_barred(self, *keys: str) -> bool:
        return bool(keys) and any(value is not None for value in self._read(lambda redis: redis.hmget(self._key("bars"), list(keys))))

    def barred(self) -> list[Bar]:
        stored = self._read(lambda redis: redis.hgetall(self._key("bars")))
        return sorted((Bar(text(key), **json.loads(value)) for key, value in stored.items()), key=lambda bar: (bar.at, bar.key))

    def put(self, kind: str, key: str, value: bytes, *, expires: float, owner: str = "") -> None:
        self._script(_PUT, kind, key, value, owner, expires, _deleted_at(expires))

    def get(self, kind: str, key: str, *, now: float) -> bytes | None:
        value, expires = self._read(lambda redis: redis.hmget(self._key("record", kind, key), ["value", "expires"]))
        return bytes(value) if value is not None and float(expires) >= now else None

    def delete(self, kind: str, key: str) -> bool:
        return bool(self._drop_record(kind, key))

    def replace(self, kind: str, key: str, old: bytes, new: bytes, *, expires: float) -> bool:
        return bool(self._script(_REPLACE, kind, key, old, new, expires, _deleted_at(expires)))

    def lease(self, kind: str, key: str, owner: str, *, now: float, until: float) -> bool:
        return bool(self._script(_LEASE, kind, key, owner, now, until, _deleted_at(until)))

    def free(self, kind: str, key: str, owner: str) -> None:
        self._script(_FREE, kind, key, owner)

    def count(self, kind: str, *, now: float) -> int:
        return int(self._read(lambda redis: redis.zcount(self._key("records", kind), now, "+inf")))

    def _drop_record(self, kind: str, key: str, *, before: float = float("inf")) -> int:
        return int(self._script(_DROP, kind, key, before))

    def _owned(self, email: str) -> list[dict[str, Any]]:
        """The records of a person: kind, key, expiry and size."""
        wanted = [json.loads(one) for one in self._read(lambda redis: redis.zrange(self._key("owned", email), 0, -1))]

        def fill(pipeline: Any) -> None:
            for kind, key in wanted:
                pipeline.hget(self._key("record", kind, key), "expires")
                pipeline.hstrlen(self._key("record", kind, key), "value")

        answers = self._pipeline(fill)
        found = zip(wanted, answers[::2], answers[1::2], strict=True)
        return [
            {"kind": kind, "key": key, "expires": float(expires), "bytes": size}
            for (kind, key), expires, size in found
            if expires is not None
        ]


def _deleted_at(expires: float) -> int:
    return math.ceil(expires) + CLOCKS_DIFFER_SECONDS
