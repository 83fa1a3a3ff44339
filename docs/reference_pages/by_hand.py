"""What no schema says of page files and of bio-sync.yaml; numbers, and how scalars are read, are the code's own."""

from bio_sync.applying.guards import USUAL_LEAST, USUAL_PERCENT
from bio_sync.jsonvalues import Json
from bio_sync.scalars import plain_value
from bio_sync.yamlevents import MOST_CHARACTERS, MOST_LEVELS, MOST_NODES
from bio_sync.yamltext import MOST_BYTES
from reference_pages.writing import code, table

# Plain scalars whose meaning differs between readers of YAML, and some that do not.
_SCALARS = ("true", "no", "on", "null", "~", "12", "0o14", "0x0c", "1.5", "1e3", "12:30", "2026-01-02", "007")


def about_page_files() -> str:
    """Give all of page-file.md but its fields."""
    rows = ((code(text), _meaning(plain_value(text))) for text in _SCALARS)
    scalars = table(("written", "read as"), rows)
    limits = table(
        ("at most", "rule"),
        (
            (f"{MOST_BYTES // 1024} KiB a file", _rule("file-too-large")),
            (f"{MOST_LEVELS} levels of lists and mappings", _rule("too-deep")),
            (f"{MOST_NODES:,} values, and {MOST_CHARACTERS:,} characters in them", _rule("too-many-values")),
        ),
    )
    return f"{_BEGINNING}{scalars}{_LIMITS}{limits}{_REST}"


def _meaning(value: Json) -> str:
    if isinstance(value, str):
        return "text"
    if value is None:
        return "null: as if the line were left out"
    return code(str(value).lower()) if isinstance(value, bool) else f"the number {value:g}"


def _rule(name: str) -> str:
    return f"[{code(name)}](rules.md#{name})"


_BEGINNING = """# Page files

One file describes one page. What it leaves out is not managed: the live value stays. The least that a file can say:

```yaml
id: bio_abc123
```

A command finds page files where its arguments say; without any, at `pages` of [bio-sync.yaml](configuration.md), else
in the folder `pages/`. Folders are searched for `*.yaml` and `*.yml`, also in folders inside; names that begin with
`_` or `.` are skipped. A symbolic link that leaves the repository is refused
([`unreadable`](rules.md#unreadable)), and so are two files for one page ([`duplicate-id`](rules.md#duplicate-id)).

Editors check these files, and explain their fields, by the JSON Schema that `bio-sync schema page` prints:
[page files in an editor](../how-to/editors.md).

## How YAML is read

A file is UTF-8, and one YAML document. Values without quotes mean what YAML 1.2 says (its core schema), so that what
looks like text is text:

"""
_LIMITS = """A number that would lose digits in a browser is refused, and so are `.nan` and `.inf`
([`not-a-value`](rules.md#not-a-value)).

Comments, anchors and aliases are YAML's own. Refused, each with its place:

- a key that stands twice in one mapping ([`duplicate-key`](rules.md#duplicate-key)), or is no text
  ([`key-not-text`](rules.md#key-not-text));
- the merge key `<<` ([`merge-key`](rules.md#merge-key)), and tags such as `!!str` ([`tag`](rules.md#tag));
- a second document ([`second-document`](rules.md#second-document));
- control characters but tab and line end, and characters that turn the direction of reading, raw or as an escape
  ([`forbidden-character`](rules.md#forbidden-character)).

What is larger than these limits is refused before anything is made of it; an alias counts as if it were written out.

"""
_REST = """## Keys

- At the top of a file, only the fields below are known, and keys that begin with `x-`
  ([`unknown-key`](rules.md#unknown-key)).
- In `page_data` and in a link, other keys pass as they are: the vendor adds some. They are part of the page, and sent.
- Keys that begin with `x-` are notes of your own, at any place, and never sent.
- A key whose value is null is as if it were left out, here and on the live page; null is never sent.

## Links

`url` is what Python and a browser read alike:

- `https://`, `mailto:`, `tel:` or `sms:`; `http://`, too, with a warning ([`not-encrypted`](rules.md#not-encrypted));
- a host where there has to be one, in letters that a browser does not take for others; no user name before it;
- no white space, no control character and no backslash.

`avatar_url` is a web address: `https://` or `http://`. An address that a browser would run (`javascript:`, `data:`
and their disguises) is refused at any place of `page_data` ([`not-a-link`](rules.md#not-a-link)).

"""

ABOUT_CONFIGURATION = f"""# The configuration: bio-sync.yaml

The file is optional. It is looked for from the working directory upwards to the root of the git repository, which is
where `.git` is; `--config FILE` names another one. Paths in it are seen from its own folder.

It is YAML as [page files](page-file.md#how-yaml-is-read) are. It knows the fields below, and no others: an address of
the service, or a key, is refused with all the rest, since a pull request could send the key elsewhere. They come from
the [environment](commands.md#environment-variables).

Without the file, a command reads `pages/`, ignores nothing, and holds back an apply that changes more than {USUAL_PERCENT}% of
the pages, if those are {USUAL_LEAST} or more.

"""
