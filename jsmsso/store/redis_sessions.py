"""Used logins, logout tokens and ended sessions in Redis.

``login:HASH`` and ``logout_token:HASH`` are there until they expire. ``endings`` is a stream: its ids begin with the server's
time in milliseconds, so that what is written after Redis lost its memory still counts as later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from jsmsso.store.records import Ending
from jsmsso.store.redis_server import CLOCKS_DIFFER_SECONDS, RedisServer, fields, text

PAGE = 10_000  # endings read at once

# What expired goes first: endings are written in the order in which they expire, nearly. With the hash of a logout token
# (else empty) and the milliseconds for which that is remembered, an ending happens once. The token comes last, since what a
# script did before an error stays done.
_END = """
local prefix, now, kind, issuer, value, at, expires, jti, lasting = unpack(ARGV)
local token = prefix .. 'logout_token:' .. jti
if jti ~= '' and redis.call('EXISTS', token) == 1 then return 0 end
local stream = prefix .. 'endings'
for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 20)) do
  if tonumber(entry[2][10]) >= tonumber(now) then break end
  redis.call('XDEL', stream, entry[1])
end
redis.call('XADD', stream, '*', 'kind', kind, 'issuer', issuer, 'value', value, 'at', at, 'expires', expires)
if jti ~= '' then redis.call('SET', token, '', 'PX', lasting) end
return 1
"""


class RedisSessions(RedisServer):
    """A part of :class:`RedisStore`; :class:`jsmsso.store.interface.Store` says what each does."""

    def use_login(self, state_hash: bytes, *, now: float, expires: float) -> bool:
        key, lasting = self._key("login", state_hash.hex()), _lasting(expires - now)
        return bool(self._write(lambda redis: redis.set(key, b"", nx=True, px=lasting)))

    def login_was_used(self, state_hash: bytes) -> bool:
        return bool(self._read(lambda redis: redis.exists(self._key("login", state_hash.hex()))))

    def end(self, ending: Ending, *, now: float) -> None:
        self._script(_END, now, *astuple(ending), "", 0)

    def end_once(self, ending: Ending, jti_hash: bytes, *, now: float, expires: float) -> bool:
        return bool(self._script(_END, now, *astuple(ending), jti_hash.hex(), _lasting(expires - now)))

    def endings_after(self, number: int, *, since: float = 0.0) -> tuple[int, list[Ending]]:
        found = []
        for stream_id, ending in self._after(number):
            number = _number(stream_id)
            if ending.at >= since:
                found.append(ending)
        return number, found

    def _drop_expired_endings(self, now: float) -> int:
        expired = [stream_id for stream_id, ending in self._after(0) if ending.expires < now]

        def fill(pipeline: Any) -> None:
            for stream_id in expired:
                pipeline.xdel(self._key("endings"), stream_id)

        return sum(self._pipeline(fill, writing=True))

    def _after(self, number: int) -> Iterator[tuple[str, Ending]]:
        while page := self._page(_stream_id(number + 1)):
            for stream_id, entry in page:
                yield text(stream_id), _ending(entry)
            if len(page) < PAGE:
                return
            number = _number(text(page[-1][0]))

    def _page(self, start: str) -> list[tuple[Any, Any]]:
        return list(self._read(lambda redis: redis.xrange(self._key("endings"), min=start, count=PAGE)))


def _lasting(seconds: float) -> int:
    """Milliseconds after which Redis itself may delete what is over in so many seconds."""
    return max(1, round((seconds + CLOCKS_DIFFER_SECONDS) * 1000))


def _number(stream_id: str) -> int:
    """``1526919030474-55`` as one number, 43 bits and 20; no server writes a million endings in a millisecond."""
    milliseconds, _, sequence = stream_id.partition("-")
    return int(milliseconds) << 20 | int(sequence)


def _stream_id(number: int) -> str:
    return f"{number >> 20}-{number & 0xFFFFF}"


def _ending(entry: Any) -> Ending:
    stored = fields(entry)
    return Ending(stored["kind"], stored["issuer"], stored["value"], float(stored["at"]), float(stored["expires"]))  # type: ignore[arg-type]
