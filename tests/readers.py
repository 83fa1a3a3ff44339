"""Readers of what we write that share nothing with the code that writes it.

The two parsers of GitHub's runner (actions/runner, ActionCommand.cs), Azure's logging commands, GitLab's quick
actions, a Markdown reader over markdown-it's tokens with GitHub's own filters on top, and an HTML reader.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
CODE = frozenset(("code", "pre", "kbd", "samp", "tt"))
FOLDS = frozenset(("details", "summary", "code", "pre", "b"))


@dataclass(frozen=True, slots=True)
class Command:
    """An order that a CI service would carry out."""

    dialect: str
    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


# What each line has in which one of the readers below finds an order: one look instead of four.
_MAY_ORDER = re.compile(r"\s*(?:::|/)|.*##", re.DOTALL)


def lines_of(text: str) -> list[str]:
    """Split as a .NET reader of a process's output does, and then wherever Python sees another line."""
    return [line for part in re.split("\r\n|\r|\n", text) for line in (part, *part.splitlines()[1:])]


def commands(text: str) -> list[Command]:
    """Find every order in an output, of any name: after `stop-commands` a runner knows one of the page's choice."""
    readers = (runner_v2, runner_v1, azure, gitlab_quick_action)
    lines = (line for line in lines_of(text) if _MAY_ORDER.match(line))
    return [command for line in lines for reader in readers if (command := reader(line))]


def runner_v2(line: str) -> Command | None:
    """Read `::name key=value,key=value::data`, which stands at the start of a line."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    properties = _properties(rest.strip(), ",", {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"})
    data = _unescaped(line[end + 2 :], {"%0D": "\r", "%0A": "\n", "%25": "%"})
    return Command("runner v2", name, data, properties) if name else None


def runner_v1(line: str) -> Command | None:
    """Read `##[name key=value;key=value]data`, which stands anywhere in a line."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, rest = line[start + 3 : end].partition(" ")
    signs = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%25": "%"}
    data = _unescaped(line[end + 1 :], signs)
    return Command("runner v1", name, data, _properties(rest, ";", signs)) if name else runner_v1(line[start + 3 :])


def azure(line: str) -> Command | None:
    """Read `##vso[area.action key=value;key=value]data` (of TeamCity and others likewise) anywhere in a line."""
    found = re.search(r"##([A-Za-z]+)\[([^\] ]*) ?([^\]]*)\](.*)", line)
    return Command(f"##{found[1]}", found[2], found[4], _properties(found[3], ";", {})) if found else None


def gitlab_quick_action(line: str) -> Command | None:
    """Read `/close`, an order of GitLab at the start of a line."""
    found = re.match(r"\s*/([A-Za-z_]\w*)(?:\s+(.*))?$", line)
    return Command("quick action", found[1], found[2] or "") if found else None


def _properties(text: str, separator: str, signs: dict[str, str]) -> dict[str, str]:
    # .NET's Split with RemoveEmptyEntries: signs at the start of either half are empty entries.
    pairs = (part.lstrip("=").partition("=") for part in text.split(separator))
    return {key: _unescaped(value.lstrip("="), signs) for key, _, value in pairs if key and value.lstrip("=")}


def _unescaped(text: str, signs: dict[str, str]) -> str:
    for escaped, sign in signs.items():
        text = text.replace(escaped, sign)
    return text


@dataclass
class HtmlPage:
    """What a browser would make of a document; `faults` are tags that are not closed, or in the wrong order."""

    text: str = ""
    text_outside_code: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    inside_code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    declarations: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}


def read_html(source: str) -> HtmlPage:
    """Read a document or a piece of one by Python's own HTML parser."""
    reader = _HtmlReader()
    reader.feed(source)
    reader.close()
    reader.page.faults += [f"<{tag}> is not closed" for tag in reader.open_tags]
    return reader.page


class _HtmlReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = HtmlPage()
        self.open_tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(dict(attrs)) != len(attrs):
            self.page.faults.append(f"<{tag}> has an attribute twice")
        self.page.tags.append((tag, dict(attrs)))
        if CODE.intersection(self.open_tags) and (self.open_tags[-1], tag) != ("pre", "code"):
            self.page.inside_code.append(tag)
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.page.faults.append(f"<{tag}/> closes nothing")
        self.page.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags[-1] != tag:
            self.page.faults.append(f"</{tag}> inside {self.open_tags}")
        if tag in self.open_tags:
            while self.open_tags.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "style" in self.open_tags:
            return
        self.page.text += data
        if not CODE.intersection(self.open_tags):
            self.page.text_outside_code += data

    def handle_comment(self, data: str) -> None:
        self.page.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.page.declarations.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.page.declarations.append(data)

    def handle_pi(self, data: str) -> None:
        self.page.declarations.append(data)


@dataclass(frozen=True, slots=True)
class Fence:
    info: str
    content: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """A `<details>`: its summary as a reader sees it, and whether it is open at first."""

    summary: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class MarkdownPage:
    """What GitHub makes of a comment: `html` before its filters, and what the filters would find in it."""

    html: HtmlPage
    fences: tuple[Fence, ...]
    folds: tuple[Fold, ...]
    headings: tuple[str, ...]
    links: tuple[str, ...]
    images: tuple[str, ...]
    references: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def acts(self) -> dict[str, list[str]]:
        """Give all that is more than text, code, headings, lists, folds and bold letters; empty when nothing is."""
        found = {
            "links": [*self.links],
            "images": [*self.images],
            "references": [*self.references],
            "tags": [*sorted(self.html.names() - _MARKDOWN_TAGS - FOLDS), *self.html.inside_code],
            "attributes": [
                f"{tag} {name}" for tag, all_of in self.html.tags for name in all_of if not _ours(tag, name)
            ],
            "comments": [comment for comment in self.html.comments if comment.strip()],
            "declarations": self.html.declarations,
            "faults": [*self.faults],
        }
        return {kind: what for kind, what in found.items() if what}


_MARKDOWN_TAGS = frozenset(["p", "h1", "h2", "h3", "ul", "li", "hr", "strong", "em"])
_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_TAG = re.compile(r"<[A-Za-z/!][^>]*>")
# GFM, section 6.9: autolinks of the extension. cmark-gfm finds the first by the signs of the source, and mail
# addresses in the text that comes of it, where a character reference is the character and <code> is no code.
_WEB_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s<]+|\bwww\.[^\s<]+", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"(?:(?:mailto|xmpp):)?[A-Za-z0-9.+_-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
# GitHub reads formulas before HTML is read, so that <code> is no code for them either.
_FORMULA = re.compile(r"\$\$?[^$\n]+\$|\\\(.+?\\\)|\\\[.+?\\\]")
# GitHub's own filters look at text outside code: people and teams, issues, commits, emoji.
_REFERENCE = re.compile(
    r"(?<![\w`/])@[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?"
    r"|(?<!\w)(?:[\w.-]+/[\w.-]+)?#\d+\b|\bGH-\d+\b"
    r"|\b[0-9a-f]{7,40}\b(?<=[a-f0-9]{40})"
    r"|:[a-z0-9_+-]*[a-z][a-z0-9_+-]*:"
    r"|\[\^[^\]]+\]|^\s*\[[ xX]\]\s|\[![A-Z]+\]",
    re.MULTILINE,
)


def _ours(tag: str, name: str) -> bool:
    return (tag, name) in {("details", "open"), ("code", "class")}


def read_markdown(source: str) -> MarkdownPage:
    """Read a comment as GitHub would, and all that would act in it."""
    tokens = _READER.parse(source)
    html = read_html(str(_READER.renderer.render(tokens, _READER.options, {})))
    lines = source.split("\n")
    fences, headings, found, images, formulas = [], [], [], [], []
    for number, token in enumerate(tokens):
        if token.type == "fence":
            assert token.map
            last = lines[token.map[1] - 1]
            closed = token.map[1] - token.map[0] > 1 and bool(re.fullmatch(rf" {{0,3}}{token.markup}`*\s*", last))
            fences.append(Fence(token.info, token.content, closed))
        elif token.type == "heading_open":
            headings.append(tokens[number + 1].content)
        elif token.type == "inline":
            bare = _TAG.sub("\n", _CODE_SPAN.sub("\n", token.content))
            found += _WEB_ADDRESS.findall(bare)
            formulas += _FORMULA.findall(bare)
            for child in token.children or ():
                if child.type == "text":
                    found += [match[0] for match in _MAIL_ADDRESS.finditer(child.content)]
                elif child.type == "image":
                    images.append(str(child.attrs.get("src")))
    found += [str(attributes.get("href")) for attributes in html.named("a")]
    images += [str(attributes.get("src")) for name in ("img", "video", "picture") for attributes in html.named(name)]
    faults = [*html.faults, *("a fence is not closed" for fence in fences if not fence.closed), *_misplaced(html)]
    faults += ["an indented block" for token in tokens if token.type == "code_block"]
    return MarkdownPage(
        html=html,
        fences=tuple(fences),
        folds=tuple(_folds(tokens)),
        headings=tuple(headings),
        links=tuple(found),
        images=tuple(images),
        references=(*formulas, *(match[0] for match in _REFERENCE.finditer(html.text_outside_code))),
        faults=tuple(faults),
    )


def _misplaced(html: HtmlPage) -> Iterator[str]:
    details, summaries = len(html.named("details")), len(html.named("summary"))
    if details != summaries:
        yield f"{details} folds and {summaries} summaries"


def _folds(tokens: list[Token]) -> Iterator[Fold]:
    for token in tokens:
        if token.type == "html_block" and token.content.startswith("<details"):
            html = read_html(token.content)
            yield Fold(html.text.strip(), "open" in html.named("details")[0])
