"""Where a plan would send visitors who could not get there before: hosts, mail domains, telephone numbers."""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from bio_sync.jsonvalues import Json
from bio_sync.planning import Plan

# A browser drops spaces and controls at the ends, and tabs and line ends anywhere; to it, a backslash is a slash,
# any number of slashes may follow the colon, and two without a scheme lead to another host (WHATWG URL, section 4.4).
_ENDS = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans({"\t": None, "\n": None, "\r": None})
_WEB = re.compile(r"(?:https?:[/\\]*|[/\\]{2,}(?=[^\s/\\?#]+(?:[/\\?#]|$)))([^/\\?#]*)", re.IGNORECASE)
_OTHER = re.compile(r"(mailto|tel|sms):(.*)", re.IGNORECASE | re.DOTALL)
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
# No name in DNS is longer; the time that punycode takes grows with the square.
MOST_OF_A_HOST = 253
LONGEST_NUMBER = 20
_MAIL_DOMAIN = re.compile(r"@([^@,;?&\s<>]+)")


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """A place that pages would lead to: a host as machines write it, or a scheme and what it reaches.

    `unicode` is the other form of an internationalised host, else empty. `page_ids` and `files` name the pages.
    """

    address: str
    unicode: str
    page_ids: tuple[str, ...]
    files: tuple[str, ...]


def new_destinations(plan: Plan) -> tuple[Destination, ...]:
    """List what each changed page would lead to and does not lead to now, ordered by address.

    Every text of `page_data` that is a web, mail or telephone address counts, whatever its key.
    """
    pages: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for change in plan.changes:
        before, after = _texts(change.before.page_data), _texts(change.after.page_data)
        # Most texts stay, and most changes bring no new one.
        if new := _addresses(after - before):
            new -= _addresses(before)
        for address in sorted(new):
            pages[address].append((change.page_id, change.file))
    return tuple(
        Destination(address, _unicode(address), tuple(one for one, _ in found), tuple(file for _, file in found))
        for address, found in sorted(pages.items())
    )


def _texts(value: Json) -> set[str]:
    """Give all texts in a value, but for keys."""
    texts, ahead = set[str](), [value]
    while ahead:
        inner = ahead.pop()
        if isinstance(inner, str):
            texts.add(inner)
        elif isinstance(inner, dict | list):
            ahead.extend(inner.values() if isinstance(inner, dict) else inner)
    return texts


def _addresses(texts: set[str]) -> set[str]:
    return {address for text in texts for address in _reached(text.strip(_ENDS).translate(_DROPPED))}


def _reached(text: str) -> Iterator[str]:
    if found := _WEB.match(text):
        yield _host(found.group(1))
    elif found := _OTHER.match(text):
        scheme, rest = found.group(1).lower(), found.group(2)
        if scheme == "mailto":
            yield from (f"mailto:{_host(domain)}" for domain in _MAIL_DOMAIN.findall(unquote(rest)))
        else:
            yield f"{scheme}:{rest.partition('?')[0]}"


def _host(authority: str) -> str:
    """Give the host of an authority as a browser asks DNS for it; as it stands where it has no such form."""
    host = unquote(authority.rpartition("@")[2])
    if host.startswith("["):
        return _ipv6(host.partition("]")[0][1:]) or host.lower()
    host = host.partition(":")[0]
    host = (host.lower() if host.isascii() or len(host) > MOST_OF_A_HOST else _in_ascii(host)).rstrip(".")
    return _ipv4(host.split(".")) or host


def _in_ascii(host: str) -> str:
    """Map as browsers do (UTS 46), and write in punycode also what IDNA 2008 has no room for, such as emoji."""
    import idna  # noqa: PLC0415 - 20 ms that few plans need

    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        mapped = host.lower()
    labels = _DOTS.split(mapped)
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}" for label in labels)


def _ipv6(text: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(text)}]" if "%" not in text else ""
    except ValueError:
        return ""


def _ipv4(labels: list[str]) -> str:
    """Read a host in numbers as browsers do: 3221225985 and 0xC0.0.513 are 192.0.2.1; empty for a name."""
    try:
        *first, last = map(_number, labels)
    except ValueError:
        return ""
    if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return ""
    return str(ipaddress.IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(first)) + last))


def _number(label: str) -> int:
    if not label.isalnum() or len(label) > LONGEST_NUMBER:
        raise ValueError(label)
    if label[:2] == "0x":
        return int(label[2:] or "0", 16)
    return int(label, 8 if label[0] == "0" else 10)


def _unicode(address: str) -> str:
    """Give the form of an address that a browser may show for its punycode; empty when there is no other."""
    scheme, colon, host = address.rpartition(":") if address.startswith("mailto:") else ("", "", address)
    if "xn--" not in host:
        return ""
    import idna  # noqa: PLC0415 - 20 ms that few plans need

    try:
        shown = idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return ""
    return f"{scheme}{colon}{shown}" if shown != host else ""
