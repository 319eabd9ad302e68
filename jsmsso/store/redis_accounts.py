"""Accounts, links and memberships in Redis.

``account:PERSON`` is a hash; ``accounts`` is a sorted set of persons by ``last_seen``; ``accounts_of_email:EMAIL`` and
``accounts_of_id:ID`` are sets of persons. ``links`` is a hash by address. ``memberships:PERSON`` is a hash of memberships;
``members`` is a sorted set of all of them by their time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from jsmsso.store.records import Account, AccountTaken, Link, Membership
from jsmsso.store.redis_server import RedisServer, fields, text, texts

_REMEMBER = """
local prefix, person, issuer, email, account_id, shared, last_seen = unpack(ARGV, 1, 7)
if account_id ~= '' and shared == '0' then
  for _, other in ipairs(redis.call('SMEMBERS', prefix .. 'accounts_of_id:' .. account_id)) do
    local held = redis.call('HMGET', prefix .. 'account:' .. other, 'issuer', 'email', 'subject')
    if other ~= person and held[1] and (held[1] ~= issuer or held[2] ~= email) then return {held[1], held[3]} end
  end
end
local key = prefix .. 'account:' .. person
local old = redis.call('HMGET', key, 'email', 'account_id')
if old[1] then
  redis.call('SREM', prefix .. 'accounts_of_email:' .. old[1], person)
  redis.call('SREM', prefix .. 'accounts_of_id:' .. old[2], person)
end
redis.call('DEL', key)
redis.call('HSET', key, unpack(ARGV, 8))
redis.call('SADD', prefix .. 'accounts_of_email:' .. email, person)
if account_id ~= '' then redis.call('SADD', prefix .. 'accounts_of_id:' .. account_id, person) end
redis.call('ZADD', prefix .. 'accounts', last_seen, person)
return false
"""

# Deletes an account that was not seen since; '+inf' deletes it whenever that was.
_DROP_ACCOUNT = """
local prefix, person, before = unpack(ARGV)
local seen = redis.call('ZSCORE', prefix .. 'accounts', person)
if not seen or tonumber(seen) >= tonumber(before) then return 0 end
local old = redis.call('HMGET', prefix .. 'account:' .. person, 'email', 'account_id')
redis.call('SREM', prefix .. 'accounts_of_email:' .. (old[1] or ''), person)
redis.call('SREM', prefix .. 'accounts_of_id:' .. (old[2] or ''), person)
redis.call('ZREM', prefix .. 'accounts', person)
return redis.call('DEL', prefix .. 'account:' .. person)
"""


class RedisAccounts(RedisServer):
    """A part of :class:`RedisStore`; :class:`jsmsso.store.interface.Store` says what each does."""

    def account(self, issuer: str, subject: str) -> Account | None:
        found = self._accounts([person_key(issuer, subject)])
        return found[0] if found else None

    def accounts_of_email(self, email: str) -> list[Account]:
        return self._accounts(self._read(lambda redis: redis.smembers(self._key("accounts_of_email", email))))

    def accounts_of_id(self, account_id: str) -> list[Account]:
        return self._accounts(self._read(lambda redis: redis.smembers(self._key("accounts_of_id", account_id))))

    def remember(self, account: Account, *, allow_shared: bool = False) -> None:
        values = asdict(account)
        del values["last_seen"]
        values["desks"] = json.dumps(account.desks)
        values["making_since"] = "" if account.making_since is None else account.making_since
        flat = [part for pair in values.items() for part in pair]
        person = person_key(account.issuer, account.subject)
        holder = self._script(
            _REMEMBER, person, account.issuer, account.email, account.account_id, int(allow_shared), account.last_seen, *flat
        )
        if holder:
            raise AccountTaken(account.account_id, (text(holder[0]), text(holder[1])))

    def see(self, issuer: str, subject: str, now: float) -> None:
        self._write(lambda redis: redis.zadd(self._key("accounts"), {person_key(issuer, subject): now}, xx=True))

    def link(self, link: Link) -> None:
        content = json.dumps({"account_id": link.account_id, "at": link.at, "by": link.by})
        self._write(lambda redis: redis.hset(self._key("links"), link.email, content))

    def linked(self, email: str) -> Link | None:
        content = self._read(lambda redis: redis.hget(self._key("links"), email))
        return Link(email, **json.loads(content)) if content else None

    def unlink(self, email: str) -> bool:
        return bool(self._write(lambda redis: redis.hdel(self._key("links"), email)))

    def memberships(self, issuer: str, subject: str) -> list[Membership]:
        values = self._read(lambda redis: redis.hvals(self._key("memberships", person_key(issuer, subject))))
        found = [Membership(**json.loads(value)) for value in values]
        return sorted(found, key=lambda one: (one.at, one.account_id, one.organization_id))

    def add_membership(self, membership: Membership) -> None:
        person, field, content = (
            person_key(membership.issuer, membership.subject),
            membership_field(membership),
            json.dumps(asdict(membership)),
        )

        def fill(pipeline: Any) -> None:
            pipeline.hset(self._key("memberships", person), field, content)
            pipeline.zadd(self._key("members"), {json.dumps([person, field]): membership.at})

        self._pipeline(fill, writing=True)

    def remove_membership(self, membership: Membership) -> None:
        self._drop_membership(person_key(membership.issuer, membership.subject), membership_field(membership))

    def _drop_membership(self, person: str, field: str) -> int:
        def fill(pipeline: Any) -> None:
            pipeline.hdel(self._key("memberships", person), field)
            pipeline.zrem(self._key("members"), json.dumps([person, field]))

        return int(self._pipeline(fill, writing=True)[0])

    def _drop_account(self, person: str, *, before: float = float("inf")) -> int:
        return int(self._script(_DROP_ACCOUNT, person, before))

    def _accounts(self, persons: Iterable[Any]) -> list[Account]:
        wanted = sorted(texts(persons))

        def fill(pipeline: Any) -> None:
            for person in wanted:
                pipeline.hgetall(self._key("account", person))
                pipeline.zscore(self._key("accounts"), person)

        answers = self._pipeline(fill)
        return [
            _account(fields(stored), seen) for stored, seen in zip(answers[::2], answers[1::2], strict=True) if stored and seen is not None
        ]


def person_key(issuer: str, subject: str) -> str:
    """A person's part of a key. An issuer is an address and has no space."""
    return f"{issuer} {subject}"


def membership_field(membership: Membership) -> str:
    """Which of a person's memberships it is."""
    return json.dumps([membership.account_id, membership.organization_id])


def _account(stored: dict[str, str], last_seen: float) -> Account:
    return Account(
        stored["issuer"], stored["subject"], stored["provider"], stored["email"], stored["account_id"], stored["display_name"],
        stored["fingerprint"], tuple(json.loads(stored["desks"])), float(stored["making_since"]) if stored["making_since"] else None,
        first_seen=float(stored["first_seen"]), last_seen=float(last_seen),
    )  # fmt: skip
