"""What the vendor documents of a page: its members, and an example that the tests begin with."""

MEMBERS = {
    "id", "title", "description", "slug", "page_data", "is_published", "published_at",
    "view_count", "click_count", "html_url", "created_at", "updated_at",
}  # fmt: skip
PAGE = {
    "id": "bio_acme",
    "title": "Acme Inc",
    "description": "Official links",
    "page_data": {"theme": "light", "links": [{"label": "Site", "url": "https://acme.com"}], "x": {"a": 1}},
}
