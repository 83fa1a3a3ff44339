"""The nouns: a page as its file wants it, a page as it is live, and the content that both have."""

from dataclasses import dataclass

from bio_sync.jsonvalues import Json, JsonObject, normalised, same

# The fields that a PATCH may carry, in reading order; `published` has calls of its own.
WRITABLE_FIELDS = ("title", "description", "page_data")


@dataclass(frozen=True, slots=True)
class PageContent:
    """All of a page that a file can manage. `page_data` is normalised; `description` may be null when live."""

    title: str
    description: str | None
    page_data: JsonObject
    published: bool

    def as_json(self) -> JsonObject:
        """Give the page as a JSON object with the keys of a page file."""
        return {
            "title": self.title,
            "description": self.description,
            "page_data": self.page_data,
            "published": self.published,
        }


@dataclass(frozen=True, slots=True)
class DesiredPage:
    """What a page file asks for. A field that is None is left out of the file: the live value stays.

    `ignore` holds JSON Pointers, `*` for any list item, to values that are left as they are live.
    """

    page_id: str
    file: str
    title: str | None
    description: str | None
    page_data: JsonObject | None
    published: bool | None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LivePage:
    """A page as the service has it now. `updated_at` is the service's own text; counts are whole numbers."""

    page_id: str
    content: PageContent
    slug: str
    html_url: str
    views: int
    clicks: int
    updated_at: str | None


def desired_page(document: JsonObject, *, file: str, ignore: tuple[str, ...] = ()) -> DesiredPage:
    """Read a page document that the schema has accepted; `ignore` comes on top of the document's own."""
    page_data = document.get("page_data")
    own_ignore = document.get("ignore", [])
    assert isinstance(own_ignore, list)  # noqa: S101 - the schema has said so
    title, description, published = (
        document.get("title"),
        document.get("description"),
        document.get("published"),
    )
    return DesiredPage(
        page_id=str(document["id"]),
        file=file,
        title=title if isinstance(title, str) else None,
        description=description if isinstance(description, str) else None,
        page_data=_object(normalised(page_data, without_author_keys=True)) if page_data is not None else None,
        published=published if isinstance(published, bool) else None,
        ignore=(*(str(pointer) for pointer in own_ignore), *ignore),
    )


def same_field(field: str, one: Json, other: Json) -> bool:
    """Tell whether two values of a page's field mean the same; no description and an empty one do."""
    if field == "description":
        return (one or "") == (other or "")
    return same(one, other)


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
