"""What click does not know of a command; a test compares the names, and tries which commands need the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bio_sync.applying.guards import USUAL_LEAST, USUAL_PERCENT

LIST = "one list call for up to 200 pages, one more for each 200 beyond"
KEY = "the key, with the scope `bio:read`"
WRITING_KEY = "the key, with the scopes `bio:read` and `bio:write`"
NO_KEY = "no key"
GITHUB = "GitHub's token, see [the environment](#ci-systems); no key"
FAILED = "it failed, and nothing was written"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a command asks of the service, where it writes, and what it needs; `codes` are its own exit codes.

    `arguments` tells by metavar what an argument is.
    """

    calls: str
    writes: str
    needs: str
    codes: Mapping[int, str]
    arguments: Mapping[str, str] = field(default_factory=dict)


_PATHS = {"PATH": "Page files, and folders to search for them; without any, those of `bio-sync.yaml`, else `pages/`."}
_WRITTEN = {0: "all pages are as wanted", 1: FAILED, 3: "some pages were written, and some were not"}

FACTS: Mapping[str, Facts] = {
    "apply": Facts(
        f"{LIST}, one GET for a single page; one call a write; a long run reads anew before a view is too old",
        "live pages; a journal in `.bio-sync/`, or where `--journal` says",
        WRITING_KEY,
        _WRITTEN,
        _PATHS,
    ),
    "comment": Facts(
        "nothing; GitHub's API",
        "a comment on GitHub, or the job summary",
        GITHUB,
        {0: "posted, or shown where it may not be posted", 1: "GitHub could not be asked, or the file holds no plan"},
        {"PLAN.json": "What `plan --out` saved."},
    ),
    "create": Facts(
        f"{LIST}; one call a page; with `--adopt` one GET, and no write",
        "new pages, which are not public; their ids, into the files",
        WRITING_KEY,
        {0: "every file has an id now", 1: FAILED, 3: "some pages were made, and some were not"},
        {"FILE": "Page files, and folders to search for them."},
    ),
    "demo": Facts(
        "nothing; a local xQR of its own", "nothing that stays", NO_KEY, {0: "all went well", 1: "it did not"}
    ),
    "doctor": Facts(
        "two calls at most",
        "nothing",
        f"{KEY}; without one it says so",
        {0: "no line says `fail`", 1: "a line says `fail`"},
    ),
    "drift": Facts(
        f"{LIST}, one GET for a single page",
        "the files of `--out`",
        KEY,
        {0: "no drift", 1: "it failed", 2: "live pages differ from their files, or are gone"},
        _PATHS,
    ),
    "init": Facts(
        f"nothing; with `--from-live` {LIST}",
        "files in this folder; none that is there, but for lines at the end of `.gitignore`",
        f"{NO_KEY}; with `--from-live` {KEY}",
        {0: "done, or there was nothing to write", 1: "it failed"},
    ),
    "issue": Facts(
        "nothing; GitHub's API",
        "an issue on GitHub, or the job summary",
        GITHUB,
        {0: "written, or there was nothing to say", 1: "GitHub could not be asked, or the file holds no drift"},
        {"DRIFT.json": "What `drift --out` saved."},
    ),
    "matrix": Facts(
        "nothing",
        "nothing",
        NO_KEY,
        {0: "listed, also when none of them differs", 1: "it failed, or there is no workspace"},
        {"DIR": "Folders to look for workspaces in; without any, the whole repository."},
    ),
    "plan": Facts(
        f"{LIST}, one GET for a single page; with `--offline` nothing",
        "the files of `--out`",
        f"{KEY}; with `--offline` {NO_KEY}",
        {
            0: "planned, with changes or without",
            1: "it failed, a page is gone, or `--fail-on-drift` found drift; the plan is shown and saved all the same",
            2: "there are changes; only with `--detailed-exitcode`",
        },
        _PATHS,
    ),
    "pull": Facts(
        f"{LIST}, one GET for a single page",
        "page files",
        KEY,
        {0: "all files are as the live pages", 1: "it failed, a page is not there, or a file could not be written"},
        {"PAGE_ID": "Ids of live pages, or their files; without any, all pages that have a file."},
    ),
    "sandbox": Facts(
        "nothing: it is a service itself, at an address of this machine",
        "the file of `--db`",
        NO_KEY,
        {0: "ended by Ctrl-C", 1: "it could not start"},
    ),
    "schema": Facts(
        "nothing",
        "the files of `--write`",
        NO_KEY,
        {0: "printed, or written", 1: "it could not be written"},
        {"page|config|plan": "Which one: of page files, of `bio-sync.yaml`, of a saved plan. Without it, `page`."},
    ),
    "show": Facts(
        "nothing",
        "the files of `--out`",
        NO_KEY,
        {0: "shown", 1: "the file holds no plan, or a file of `--out` could not be written"},
        {"PLAN.json": "What `plan --out` saved."},
    ),
    "undo": Facts(
        f"{LIST}, one GET for a single page; one call a write",
        "live pages; a journal of its own",
        WRITING_KEY,
        _WRITTEN,
        {"JOURNAL": "What `apply` or `undo` left in `.bio-sync/`, or where its `--journal` said."},
    ),
    "validate": Facts("nothing", "nothing", NO_KEY, {0: "no problems; a warning is none", 1: "problems"}, _PATHS),
}

# Defaults that are not the option's own.
DEFAULTS: Mapping[str, str] = {
    "--max-changes": "`safety.max_changes` of [bio-sync.yaml](configuration.md#safetymax_changes), else "
    f"{USUAL_PERCENT}%; fewer than {USUAL_LEAST} pages always may",
    "--reserve": "`safety.reserve` of [bio-sync.yaml](configuration.md#safetyreserve), else 0",
}
