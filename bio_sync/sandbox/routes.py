"""The routes under /api/v1, and the application with the public pages beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from bio_sync.sandbox.answers import API_PREFIX, Call, Refusal, call_of, refused, success
from bio_sync.sandbox.pages import parse_fields
from bio_sync.sandbox.public_page import PublicPages, not_found

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from bio_sync.sandbox.service import Service

_WORDS = {404: "There is nothing at this address.", 405: "This address does not take that method."}


class Api:
    """The documented endpoints for bio pages and usage. Every handler finds its call at the gate."""

    def __init__(self, service: Service) -> None:
        """Serve `service`."""
        self._service = service

    def routes(self) -> list[Route]:
        """Return the routes, each with its full path."""
        page = f"{API_PREFIX}/bio/pages/{{page_id}}"
        return [
            Route(f"{API_PREFIX}/bio/pages", self._pages, methods=["GET", "POST"]),
            Route(page, self._page, methods=["GET", "PATCH"]),
            Route(f"{page}/publish", self._publish, methods=["POST"]),
            Route(f"{page}/unpublish", self._unpublish, methods=["POST"]),
            Route(f"{API_PREFIX}/workspace/usage", self._usage, methods=["GET"]),
        ]

    async def _pages(self, request: Request) -> Response:
        if request.method == "POST":
            call = _allowed(request, "bio:write")
            fields = parse_fields(request.scope["sandbox.body"])
            if "title" not in fields:
                raise Refusal(400, "title: this field is required.")
            return self._answer(call, self._service.create(call, fields), status=201)
        call = _allowed(request, "bio:read")
        return self._answer(call, self._service.listed(*self._window(request.query_params)))

    async def _page(self, request: Request) -> Response:
        page_id = request.path_params["page_id"]
        if request.method == "PATCH":
            call = _allowed(request, "bio:write")
            fields = parse_fields(request.scope["sandbox.body"])
            return self._answer(call, self._service.patch(call, page_id, fields))
        return self._answer(_allowed(request, "bio:read"), self._service.read(page_id))

    async def _publish(self, request: Request) -> Response:
        call = _allowed(request, "bio:write")
        return self._answer(call, self._service.set_published(call, request.path_params["page_id"], True))

    async def _unpublish(self, request: Request) -> Response:
        call = _allowed(request, "bio:write")
        return self._answer(call, self._service.set_published(call, request.path_params["page_id"], False))

    async def _usage(self, request: Request) -> Response:
        call = _allowed(request, "workspace:read")
        behaviour = self._service.behaviour
        usage = {
            "api_calls_this_month": self._service.calls_this_month(),
            "total_bio_pages": self._service.count(),
        }
        limits = {"api_calls_per_month": behaviour.monthly_limit, "bio_pages": behaviour.page_limit}
        return self._answer(call, {"plan": behaviour.plan, "usage": usage, "limits": limits})

    def _window(self, query: QueryParams) -> tuple[int, int]:
        paging = self._service.behaviour.paging
        if paging == "refuse":
            for name in ("limit", "offset"):
                if name in query:
                    raise Refusal(400, f"{name}: this endpoint takes no parameters.")
        if paging != "honour":
            return -1, 0
        return _number(query, "limit", 50, 1, 200), _number(query, "offset", 0, 0, 2**31)

    def _answer(self, call: Call, data: object, status: int = 200) -> Response:
        return success(call, data, self._service.behaviour.rate_limit, status=status)


def application(service: Service) -> Starlette:
    """Return the ASGI application: the API and the public pages, refusals told in each one's way."""
    routes = [*Api(service).routes(), *PublicPages(service).routes()]
    app = Starlette(routes=routes, exception_handlers={Refusal: _refused, HTTPException: _failed})
    # A slash too many is an unknown address to this service, not a redirect.
    app.router.redirect_slashes = False
    return app


def _allowed(request: Request, scope: str) -> Call:
    call = call_of(request.scope)
    if call is None:
        raise LookupError("the gate let a call pass that it did not know")
    call.require(scope)
    return call


def _number(query: QueryParams, name: str, default: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise Refusal(400, f"{name}: must be a whole number from {least} to {most}.")
    return int(text)


async def _refused(request: Request, refusal: Exception) -> Response:
    call = call_of(request.scope)
    if not isinstance(refusal, Refusal) or call is None:
        raise refusal
    return refused(refusal, call.request_id, call.standing)


async def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    call = call_of(request.scope)
    if call is None:
        return not_found(error.status_code)
    message = _WORDS.get(error.status_code, error.detail)
    refusal = Refusal(error.status_code, message, headers=error.headers)
    return refused(refusal, call.request_id, call.standing)
