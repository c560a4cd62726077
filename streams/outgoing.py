"""Calls to addresses that somebody configured: checked first, then bound to what was checked.

The name is resolved once and the connection goes to that very address, so a name
that resolves to something else a moment later gains nothing. No redirects, no
proxies from the environment; the answer's body is not read.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

from models.delivery import Attempt

_OPEN = ip_network("2000::/3")  # all that is handed out of IPv6 to the open internet (IANA)
# Global by Python's table, or by that of an older Python. The tunnels lead to IPv4 addresses that
# may be anything.
_ELSEWHERE = tuple(
    ip_network(one)
    for one in ("2001::/32", "2002::/16", "192.88.99.0/24", "192.0.0.0/24", "3fff::/20")
)


# It notes each request with its whole URL, which may be all that opens a receiver's door.
logging.getLogger("httpx").setLevel(logging.WARNING)


class RefusedAddressError(ValueError):
    """The URL is not to be called; no retry changes that."""


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    timeout: float,
) -> Attempt:
    """Send one POST and tell what came of it; a failure is an answer, not an exception."""
    try:
        async with asyncio.timeout(timeout):
            target, extensions, host = await resolve(url, allow_private=allow_private)
            sent = {**headers, "host": host, "content-type": "application/json"}
            request = client.build_request(
                "POST", target, content=body, headers=sent, extensions=extensions, timeout=timeout
            )
            answer = await client.send(request, stream=True)
            await answer.aclose()
    except (RefusedAddressError, httpx.InvalidURL) as error:
        return Attempt(error=str(error), permanent=True)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        return Attempt(error=f"{type(error).__name__}: {error}".rstrip(": "))
    return Attempt(
        http_status=answer.status_code,
        retry_after=seconds_of(answer.headers.get("retry-after"), datetime.now(UTC)),
        error=None if answer.is_success else answer.reason_phrase,
    )


def client() -> httpx.AsyncClient:
    """Return a client that follows nothing and takes no proxy from the environment."""
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, http2=False)


async def resolve(url: str, *, allow_private: bool) -> tuple[httpx.URL, dict[str, str], str]:
    """Return the URL with its address in place of the name, httpx extensions and the Host.

    Raises RefusedAddressError for what must not be called, OSError when the name is unknown.
    """
    parsed = httpx.URL(url)
    if parsed.scheme != "https" and not (allow_private and parsed.scheme == "http"):
        raise RefusedAddressError(f"scheme {parsed.scheme or 'missing'}: only https is called")
    if parsed.userinfo or not parsed.host:
        raise RefusedAddressError("a URL with a host and without a user name is needed")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    name = parsed.raw_host.decode("ascii")  # as DNS and the certificate have it
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty, or longer than DNS has
        raise RefusedAddressError(f"{name} is no name that can be looked up") from None
    addresses = [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    for address in addresses:
        if not allow_private and not is_public(address):
            raise RefusedAddressError(f"{name} leads to {address}, which is not public")
    return (
        parsed.copy_with(host=str(addresses[0])),
        {"sni_hostname": name},
        parsed.netloc.decode(),
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of the open internet, and only of that."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _OPEN:  # NAT64's own, IPv4 written as IPv6, site-local, …
            return False
    if any(address in network for network in _ELSEWHERE):
        return False
    return address.is_global and not address.is_multicast


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for; None when it says nothing useful."""
    if retry_after is None:
        return None
    said = retry_after.strip()
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # whatever is sent: it is only a wish
        return None
