"""A plan for its readers: one function a format, all of them pure, from a plan to text.

A format is loaded with the first plan that is shown in it: a run has one, seldom more, and HTML alone takes 6 ms.
"""

from collections.abc import Callable, Mapping

from bio_sync.planning import Plan


def _text(plan: Plan) -> str:
    from bio_sync.render import text  # noqa: PLC0415

    return text.render(plan)


def _markdown(plan: Plan) -> str:
    from bio_sync.render import markdown  # noqa: PLC0415

    return markdown.render(plan)


def _html(plan: Plan) -> str:
    from bio_sync.render import html  # noqa: PLC0415

    return html.render(plan)


def _gitlab(plan: Plan) -> str:
    from bio_sync.render import gitlab  # noqa: PLC0415

    return gitlab.render(plan)


def _json(plan: Plan) -> str:
    from bio_sync import planfile  # noqa: PLC0415

    return planfile.dumps(plan)


RENDERERS: Mapping[str, Callable[[Plan], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "gitlab": _gitlab,
}
