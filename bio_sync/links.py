"""Links that Python and a browser read alike (WHATWG URL on one side, RFC 3986 on the other)."""

import ipaddress
import re
import string
import unicodedata
from urllib.parse import SplitResult, urlsplit

WEB_SCHEMES = ("https", "http")
LINK_SCHEMES = (*WEB_SCHEMES, "mailto", "tel", "sms")
LINK_HINT = "a link begins with https://, http://, mailto:, tel: or sms:"

# Almost every link: lower case, a host of plain names, then visible ASCII without a backslash. `--` is left out since
# `xn--` stands for other letters. Nothing below objects to any of them (a property test says so).
USUAL = re.compile(
    r"https?://(?=[^/]{4,63}(?:/|\Z))(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,63}(?:/[!-\[\]-~]*)?", re.ASCII
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ASCII_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_PORT = re.compile(r":[0-9]{1,5}")
_MAILTO = re.compile(r"[^@?]+@[^?]+(\?.*)?")
_TELEPHONE = re.compile(r"[^?]*[0-9][^?]*(\?.*)?")
# WHATWG URL, section 4.4: a browser drops these at the ends, and tabs and line ends anywhere.
_TRIMMED = "".join(map(chr, range(0x21)))
_DROPPED = re.compile("[\t\n\r]")
_SCRIPT = re.compile(r"(?i)(javascript|vbscript|data):")
# White space, control, format, private and surrogate characters; what is only unassigned yet may be an emoji.
_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs"))
# Only ASCII: the lower case of the Kelvin sign is a k.
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
# IDNA reads these as dots too, and so does a browser; what looks like one label would be two.
_OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")


def why_not_a_link(text: str) -> str | None:
    """Say what is wrong with `text` as the address of a link, in words that follow 'it'; None if nothing is."""
    return None if USUAL.fullmatch(text) else _closer_look(text)


def _closer_look(text: str) -> str | None:
    found = _SCHEME.match(text)
    scheme = found.group(1).lower() if found else ""
    if scheme not in LINK_SCHEMES:
        return "is not a web address"
    if any(unicodedata.category(character) in _UNSEEN for character in text):
        return "holds white space or an invisible character"
    if "\\" in text:
        return "holds a backslash, which browsers read as a slash"
    rest = text[len(scheme) + 1 :]
    if scheme in WEB_SCHEMES:
        return _why_not_a_web_address(text, rest)
    if scheme == "mailto":
        return None if _MAILTO.fullmatch(rest) else "has no mail address such as mailto:hello@example.com"
    return None if _TELEPHONE.fullmatch(rest) else f"has no telephone number such as {scheme}:+15550100"


def why_not_an_image(text: str) -> str | None:
    """Say what is wrong with `text` as the address of a picture; None if nothing is."""
    found = _SCHEME.match(text)
    if not found or found.group(1).lower() not in WEB_SCHEMES:
        return "is not the web address of a picture"
    return why_not_a_link(text)


def runs_script(text: str) -> bool:
    """Tell whether a browser that is given `text` as an address could run it, whatever disguise it wears.

    No exception for prose: `javascript: name` is a program too, and "JavaScript: the good parts" can be told
    with a word before it.
    """
    return text[:4] != "http" and bool(_SCRIPT.match(_DROPPED.sub("", text.lstrip(_TRIMMED).lstrip())))


def is_unencrypted(text: str) -> bool:
    """Tell whether visitors of this web address can be listened to."""
    return text[:7].lower() == "http://"


def _why_not_a_web_address(text: str, rest: str) -> str | None:
    if not rest.startswith("//"):
        return "has no // after the colon"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "has a host that can't be read"
    if "@" in parts.netloc:
        return "holds a user name, which hides where it leads"
    return _why_not_a_host(parts)


def _why_not_a_host(parts: SplitResult) -> str | None:
    host = parts.netloc
    if host.startswith("["):
        host, bracket, port = host.partition("]")
        if not bracket or not _is_address(host[1:], ipaddress.IPv6Address):
            return "has a host that can't be read"
    else:
        host, colon, number = host.partition(":")
        port = colon + number
        if not host:
            return "has no host"
        if not _reads_alike(host):
            return "has a host that a browser reads as another one"
    if port and not (_PORT.fullmatch(port) and int(port[1:]) < 65536):
        return "has a port that can't be"
    return None


def _reads_alike(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    if _OTHER_DOTS.search(host) or (host.isascii() and not _ASCII_HOST.fullmatch(host)):
        return False
    # A browser takes a host whose last label is a number for an address: 2130706433 is 127.0.0.1 to it.
    if re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", labels[-1]):
        return _is_address(host, ipaddress.IPv4Address)
    if host.isascii() and "xn--" not in host.lower():
        return len(host) <= 253
    import idna  # noqa: PLC0415 - 20 ms that few pages need

    try:
        # IDNA 2008 without the mapping of UTS 46: what it accepts, a browser leaves as it is written.
        plain = host.translate(_ASCII_LOWER)
        return idna.decode(idna.encode(plain)) == idna.decode(plain)
    except (idna.IDNAError, UnicodeError):
        return False


def _is_address(text: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return "%" not in text
