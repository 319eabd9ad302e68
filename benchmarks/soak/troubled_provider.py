"""The stub provider with somebody new at every login, and with trouble on demand.

``GET /trouble/MODE`` switches: ``none``; ``half``, where every second call takes eleven seconds or fails; ``down``, where every
connection is cut. Run: ``python -m benchmarks.soak.troubled_provider``; prints its origin on one line.
"""

from __future__ import annotations

import asyncio
import json
import time
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from benchmarks.stub_provider import CLIENT_ID, WITHOUT_USERINFO, Connection, StubProvider

SLOW_SECONDS = 11.0  # longer than the deadline of any call


class TroubledProvider(StubProvider):
    """Every code is another person's: subject and address come from it."""

    mode = "none"

    def _tokens(self, issuer: str, body: bytes) -> dict[str, Any]:
        (code,) = parse_qs(body.decode())["code"]
        now = int(time.time())
        person = {"sub": code, "email": f"{code.lower()}@acme.com", "email_verified": True, "groups": ["customers"]}
        claims = {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "auth_time": now, "nonce": code, **person}
        return {"access_token": f"at-{code}", "token_type": "Bearer", "expires_in": 3600, "id_token": self.signed(claims)}


class TroubledConnection(Connection):
    """Answers late, badly or not at all, as the provider's mode says."""

    _numbers = count()

    def __init__(self, provider: TroubledProvider) -> None:
        super().__init__(provider)
        self._troubled = provider

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1].decode("latin-1") if data[:4] in (b"GET ", b"POST") else ""
        if path.startswith("/trouble/"):
            self._troubled.mode = path.removeprefix("/trouble/")
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if self._troubled.mode == "down":
            self._transport.abort()
        elif self._troubled.mode == "half" and (number := next(self._numbers)) % 2:
            if number % 4 == 1:
                self._transport.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}")
            else:
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._late, data)
        else:
            super().data_received(data)

    def _late(self, data: bytes) -> None:
        if not self._transport.is_closing():
            super().data_received(data)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    providers: list[TroubledProvider] = []
    server = await loop.create_server(lambda: TroubledConnection(providers[0]), "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    providers.append(TroubledProvider(origin))
    print(json.dumps({"origin": origin, "issuer": origin + WITHOUT_USERINFO}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
