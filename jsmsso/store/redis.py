"""The store for many machines: a Redis server, by the package of that name."""

from __future__ import annotations

from jsmsso.store.redis_upkeep import RedisUpkeep


class RedisStore(RedisUpkeep):
    """Behaves as :class:`jsmsso.store.interface.Store` says. Connects at its first call, and again by itself.

    ``url`` is ``redis://HOST:PORT/DB`` or ``rediss://`` for TLS; ``namespace`` keeps deployments on one server apart;
    ``ca_bundle`` is a PEM file of certificate authorities to trust, alone. Raises :class:`NotReady` without
    the package.
    """
