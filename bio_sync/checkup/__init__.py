"""What `bio-sync doctor` looks at: service, key, scopes, calls, files, pages, clock; two calls at most.

seen        the values: a check, the files, and what the calls have shown
looking     reads the files, spends the calls
service     what they say of the service, the key, its scopes and the clock
calls       what they say of the month, and of a schedule
pages       what they say of pages without files and files without pages
"""

from bio_sync.checkup.calls import about_calls
from bio_sync.checkup.looking import ask, read
from bio_sync.checkup.pages import about_pages
from bio_sync.checkup.seen import Check, Files, Seen
from bio_sync.checkup.service import about_clock, about_key, about_scopes, about_service, about_version

__all__ = [
    "Check",
    "Files",
    "Seen",
    "about_calls",
    "about_clock",
    "about_key",
    "about_pages",
    "about_scopes",
    "about_service",
    "about_version",
    "ask",
    "read",
]
