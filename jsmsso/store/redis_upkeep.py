"""What is kept about whom, what is kept no longer, and the server's own state."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from jsmsso.store.records import Inspection
from jsmsso.store.redis_accounts import RedisAccounts, membership_field, person_key
from jsmsso.store.redis_queue import RedisQueue
from jsmsso.store.redis_records import RedisRecords
from jsmsso.store.redis_server import VERSION, is_loopback, text, texts
from jsmsso.store.redis_sessions import RedisSessions

BATCH = 500  # keys taken at once, so that others are served in between


class RedisUpkeep(RedisSessions, RedisAccounts, RedisQueue, RedisRecords):
    """A part of :class:`RedisStore`; :class:`jsmsso.store.interface.Store` says what each does."""

    def about(self, email: str) -> dict[str, list[dict[str, Any]]]:
        people = self._people(email)
        link = self.linked(email)
        named = {person_key(*person) for person in people}
        return {
            "accounts": [asdict(account) | {"desks": list(account.desks)} for account in self.accounts_of_email(email)],
            "links": [asdict(link)] if link else [],
            "memberships": [asdict(one) for person in people for one in self.memberships(*person)],
            "writes": [asdict(write) for write in self._writes(sorted(named))],
            "records": self._owned(email),
            "bars": [asdict(bar) for bar in self.barred() if bar.email == email],
            "endings": [
                asdict(ending)
                for ending in self.endings_after(0)[1]
                if (ending.kind == "email" and ending.value == email)
                or (ending.kind == "sub" and person_key(ending.issuer, ending.value) in named)
            ],
        }

    def forget(self, email: str) -> dict[str, int]:
        people = self._people(email)
        return {
            "memberships": sum(
                self._drop_membership(person_key(*person), membership_field(one)) for person in people for one in self.memberships(*person)
            ),
            "records": sum(self._drop_record(record["kind"], record["key"]) for record in self._owned(email)),
            "links": int(self.unlink(email)),
            "writes": sum(self._drop_write(person_key(*person)) for person in people),
            "accounts": sum(self._drop_account(person_key(one.issuer, one.subject)) for one in self.accounts_of_email(email)),
        }

    def clean(self, *, now: float, accounts_before: float, queue_before: float) -> dict[str, int]:
        """Redis itself deletes used logins, logout tokens and leases."""
        kinds = texts(self._read(lambda redis: redis.smembers(self._key("kinds"))))
        return {
            "endings": self._drop_expired_endings(now),
            "records": sum(
                self._drop_record(kind, key, before=now) for kind in kinds for key in self._below(self._key("records", kind), now)
            ),
            "pauses": int(self._write(lambda redis: redis.zremrangebyscore(self._key("pauses"), "-inf", f"({now!r}"))),
            "writes": sum(self._drop_write(person, unheld_at=now) for person in self._below(self._key("writes_by_age"), queue_before)),
            "accounts": sum(
                self._drop_account(person, before=accounts_before) for person in self._below(self._key("accounts"), accounts_before)
            ),
            # After the accounts, which they belong to. A link or membership may be there before the account is.
            "memberships": self._clean_memberships(accounts_before),
            "links": self._clean_links(accounts_before),
        }

    def _people(self, email: str) -> list[tuple[str, str]]:
        """Who has or had the address: of accounts and of waiting writes."""
        waiting = self._writes(texts(self._read(lambda redis: redis.smembers(self._key("writes_of_email", email)))))
        accounts = self.accounts_of_email(email)
        return sorted({(one.issuer, one.subject) for one in accounts} | {(one.issuer, one.subject) for one in waiting})

    def _below(self, key: str, before: float) -> list[str]:
        """The members of a sorted set below ``before``."""
        return texts(self._read(lambda redis: redis.zrangebyscore(key, "-inf", f"({before!r}")))

    def _clean_memberships(self, before: float) -> int:
        gone = 0
        for person, field in map(json.loads, self._below(self._key("members"), before)):
            if not self._accounts([person]):
                gone += self._drop_membership(person, field)
        return gone

    def _clean_links(self, before: float) -> int:
        stored = self._read(lambda redis: redis.hgetall(self._key("links")))
        old = [text(email) for email, content in stored.items() if json.loads(content)["at"] < before]
        return sum(self.unlink(email) for email in old if not self.accounts_of_email(email))

    def inspect(self) -> Inspection:
        server, memory, persistence, replication = (self._info(section) for section in ("server", "memory", "persistence", "replication"))
        loopback = is_loopback(urlsplit(self._url).hostname or "")
        facts: dict[str, str | int | bool] = {
            "redis": str(server.get("redis_version", "")),
            "tls": self._url.startswith("rediss:"),
            "bytes": int(memory.get("used_memory", 0)),
            "maxmemory_policy": str(memory.get("maxmemory_policy", "")),
            "append_only_file": bool(persistence.get("aof_enabled")),
            "snapshots": self._snapshots(),
            "role": str(replication.get("role", "")),
        }
        problems = [] if facts["role"] in ("master", "") else ["it is a replica, to which nothing can be written"]
        warnings = []
        if not facts["append_only_file"] and facts["snapshots"] == "off":
            warnings.append("nothing is kept on disk: a restart forgets ended sessions and waiting writes; set appendonly yes")
        if not facts["append_only_file"] and facts["snapshots"] == "unknown":
            warnings.append("appendonly is off, and whether snapshots are kept on disk cannot be told")
        if persistence.get("rdb_last_bgsave_status", "ok") != "ok" or persistence.get("aof_last_write_status", "ok") != "ok":
            problems.append("its last write to disk failed")
        if facts["maxmemory_policy"] not in ("noeviction", ""):
            warnings.append(
                f"maxmemory-policy is {facts['maxmemory_policy']}: when memory is full it forgets what must stay; set noeviction"
            )
        if not facts["tls"] and not loopback:
            warnings.append("no TLS: who can read the network reads customers' addresses; use rediss://")
        return Inspection("redis", self._url, VERSION, self._rows(), facts, tuple(problems), tuple(warnings))

    def _rows(self) -> dict[str, int]:
        kinds = texts(self._read(lambda redis: redis.smembers(self._key("kinds"))))

        def fill(pipeline: Any) -> None:
            pipeline.xlen(self._key("endings")).zcard(self._key("accounts")).hlen(self._key("links")).zcard(self._key("members"))
            pipeline.zcard(self._key("writes")).zcard(self._key("pauses")).hlen(self._key("bars"))
            for kind in kinds:
                pipeline.zcard(self._key("records", kind))

        endings, accounts, links, memberships, writes, pauses, bars, *records = self._pipeline(fill)
        return {
            "used_logins": self._count_keys("login"),
            "endings": endings,
            "logout_tokens": self._count_keys("logout_token"),
            "accounts": accounts,
            "links": links,
            "memberships": memberships,
            "writes": writes,
            "pauses": pauses,
            "bars": bars,
            "records": sum(records),
            "leases": self._count_keys("lease"),
        }

    def _count_keys(self, kind: str) -> int:
        return int(self._read(lambda redis: sum(1 for _ in redis.scan_iter(match=self._key(kind, "*"), count=1000))))

    def _info(self, section: str) -> dict[str, Any]:
        return dict(self._read(lambda redis: redis.info(section)))

    def _snapshots(self) -> str:
        """``on``, ``off``, or ``unknown`` where the server's settings are not for us to read."""
        try:
            save = self._redis.config_get("save")
        except self._errors.ResponseError:
            return "unknown"
        except self._errors.RedisError as error:
            raise self._unavailable(error) from error
        return "on" if any(texts(save.values())) else "off"
