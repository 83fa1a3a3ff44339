"""The nouns: a page as its file wants it, a page as it is live, and the content that both have."""

from dataclasses import dataclass

from bio_sync.jsonvalues import Json, JsonObject, normalised, same

# The fields that a PATCH may carry, in reading order; `published` has calls of its own.
WRITABLE_FIELDS = ("title", "description", "page_data")
FIELDS = (*WRITABLE_FIELDS, "published")
# What one list call gives at most.
PAGES_A_CALL = 200


@dataclass(frozen=True, slots=True)
class PageContent:
    """All of a page that a file can manage. `page_data` is normalised; `description` may be null when live.

    A title or a publication that is None is one that nobody has told: in a plan made offline, of a page whose
    file did not manage it.
    """

    title: str | None
    description: str | None
    page_data: JsonObject
    published: bool | None

    def as_json(self) -> JsonObject:
        """Give the page as a JSON object with the keys of a page file."""
        return {name: getattr(self, name) for name in FIELDS}


@dataclass(frozen=True, slots=True)
class DesiredPage:
    """What a page file asks for. A field that is None is left out of the file: the live value stays.

    `ignore` holds JSON Pointers, `*` for any list item, to values that are left as they are live. `out_of_season`
    tells that the file has links and none of them shows now: a page without a list of links is then as it should be.
    """

    page_id: str
    file: str
    title: str | None
    description: str | None
    page_data: JsonObject | None
    published: bool | None
    ignore: tuple[str, ...] = ()
    out_of_season: bool = False

    def as_json(self) -> JsonObject:
        """Give what the file asks for as a JSON object with the keys of a page file; null is what it leaves out."""
        return {name: getattr(self, name) for name in FIELDS}


# What a page is asked for alone without, and what a file that manages it can't be compared with before.
SEEN_FIRST = frozenset(("title", "page_data"))


@dataclass(frozen=True, slots=True)
class LivePage:
    """A page as the service has it now. `updated_at` is the service's own text; counts are whole numbers.

    `untold` are those of title, page_data and published that the answer did not have at all, which is not the same as
    empty.
    """

    page_id: str
    content: PageContent
    slug: str
    html_url: str
    views: int
    clicks: int
    updated_at: str | None
    untold: frozenset[str] = frozenset()

    @property
    def without_data(self) -> bool:
        """Tell whether nothing is known of its page data."""
        return "page_data" in self.untold


def desired_page(document: JsonObject, *, file: str, ignore: tuple[str, ...] = ()) -> DesiredPage:
    """Read a page document; `ignore` comes on top of the document's own.

    What is not as the schema wants it counts as left out, which happens in files of an older commit only.
    """
    title, description = document.get("title"), document.get("description")
    page_data, published = document.get("page_data"), document.get("published")
    return DesiredPage(
        page_id=str(document["id"]),
        file=file,
        title=title if isinstance(title, str) else None,
        description=description if isinstance(description, str) else None,
        page_data=_object(normalised(page_data, without_author_keys=True)) if isinstance(page_data, dict) else None,
        published=published if isinstance(published, bool) else None,
        ignore=(*own_ignore(document), *ignore),
    )


def own_ignore(document: JsonObject) -> list[str]:
    """List the JSON Pointers that a page document leaves as they are live."""
    pointers = document.get("ignore")
    return list(map(str, pointers)) if isinstance(pointers, list) else []


def links_of(page_data: Json) -> list[Json]:
    """Give the links of page data; none where there is no list of them."""
    links = page_data.get("links") if isinstance(page_data, dict) else None
    return links if isinstance(links, list) else []


def as_if_live(page_id: str, desired: DesiredPage | None) -> LivePage:
    """Give the live page that a file alone would make; what it leaves out, or no file at all, is not told."""
    content = PageContent(None, None, {}, None)
    if desired is not None:
        content = PageContent(desired.title, desired.description, desired.page_data or {}, desired.published)
    return LivePage(page_id, content, slug="", html_url="", views=0, clicks=0, updated_at=None)


def same_field(field: str, one: Json, other: Json) -> bool:
    """Tell whether two values of a page's field mean the same; no description and an empty one do."""
    if field == "description":
        return (one or "") == (other or "")
    return same(one, other)


def same_content(one: PageContent, other: PageContent) -> bool:
    """Tell whether two pages mean the same."""
    return one is other or all(same_field(name, getattr(one, name), getattr(other, name)) for name in FIELDS)


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
