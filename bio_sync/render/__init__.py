"""A plan for its readers: one function a format, all of them pure, from a plan to text."""

from collections.abc import Callable, Mapping

from bio_sync import planfile
from bio_sync.plan import Plan
from bio_sync.render import gitlab, html, markdown, text

RENDERERS: Mapping[str, Callable[[Plan], str]] = {
    "text": text.render,
    "json": planfile.dumps,
    "markdown": markdown.render,
    "html": html.render,
    "gitlab": gitlab.render,
}
