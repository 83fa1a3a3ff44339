"""The address of the service: the only place that the key is sent to."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bio_sync.errors import InvalidAddress
from bio_sync.visible import shortened

DEFAULT_ADDRESS = "https://xqr.co/api/v1"
ADDRESS_VARIABLE = "XQR_API_URL"
# Visible ASCII without a backslash, which some readers take for a slash.
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")


def told_address(told: str | None, environment: Mapping[str, str]) -> str:
    """Give the address that somebody told, or else the environment names, or else the vendor's own."""
    # An empty variable is how CI systems say that there is none; an empty flag is a mistake.
    return told if told is not None else environment.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS


def service_address(text: str) -> str:
    """Give an API address without a slash at its end.

    Raises InvalidAddress for one that is not `https` (`http` is for this machine only), names a user, or
    carries a query.
    """
    text = text.strip()
    # Not shown before it is known for an address: somebody may have put the key where the address belongs.
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidAddress("the API address can't be read", hint=f"it looks like {DEFAULT_ADDRESS}") from None
    if parts.scheme not in {"https", "http"} or not host or not _PLAIN.fullmatch(text):
        raise InvalidAddress("the API address is not a web address", hint=f"it looks like {DEFAULT_ADDRESS}")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise InvalidAddress(
            "the API address holds more than a host and a path",
            hint=f"it looks like {DEFAULT_ADDRESS}; the key goes into XQR_API_KEY",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidAddress(
            f"the API address '{shortened(text)}' would send the key in the clear",
            hint="use https://; http:// is for addresses of this machine only, such as http://127.0.0.1:8787",
        )
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine's own (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
