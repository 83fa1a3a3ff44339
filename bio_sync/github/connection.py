"""HTTP to one GitHub: one host, whole answers in bounded time, every failure in words of ours."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial

from bio_sync.errors import (
    NotAnAnswer,
    Rejected,
    ServiceError,
    TooManyRequests,
    Unauthorised,
    UnclearWrite,
    Unreachable,
)
from bio_sync.github.failures import NotPermitted
from bio_sync.github.patience import Patience, asked_to_wait
from bio_sync.github.run import WorkflowRun
from bio_sync.httplibrary import httpx
from bio_sync.jsonvalues import Json, JsonObject, parsed
from bio_sync.transport import NEVER_SENT, Meter, Watchdog, careful_client
from bio_sync.transport.sockets import parsed_address
from bio_sync.visible import shortened

METHODS = frozenset(("GET", "POST", "PATCH"))
# The version that GitHub Enterprise Server knows, too; supported until 10 March 2028 at least.
API_VERSION = "2022-11-28"
# Of a hundred entries each: a pull request has at most 2,500 comments, and an endless list is a fault of the server's.
MOST_LISTS = 100


class Connection:
    """Sends what `GitHub` asks for; `timeout` seconds bound each request, `sleep` takes the place of waiting."""

    def __init__(self, run: WorkflowRun, *, timeout: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = run.api_url
        self._graphql = run.graphql_url
        self._client = careful_client(
            # The whole host: on Enterprise Server GraphQL stands beside the REST API.
            str(parsed_address(run.api_url).copy_with(path="/")),
            partial(Patience, sleep=sleep),
            methods=METHODS,
            headers={
                "Authorization": run.token.header(),
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": API_VERSION,
            },
            meter=Meter(),
            watchdog=Watchdog(timeout),
        )

    def close(self) -> None:
        """End what is under way, and close the sockets."""
        self._client.close()

    def entries(self, path: str, **query: str) -> Iterator[JsonObject]:
        """Give the objects of a list, all pages of it (`Link: rel="next"`); raises ServiceError."""
        address = str(httpx.URL(f"{self._api}{path}", params={**query, "per_page": "100"}))
        for _ in range(MOST_LISTS):
            response = self._asked("GET", address)
            listed = _value(response)
            if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
                raise _not_github(response, "a list was asked for")
            yield from (entry for entry in listed if isinstance(entry, dict))
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            address = self._checked(following, response)
        raise NotAnAnswer(f"GitHub's list has more than {MOST_LISTS} pages", hint="is GITHUB_API_URL right?")

    def send(self, method: str, path: str, body: JsonObject) -> JsonObject:
        """Write something and give what GitHub made of it; raises ServiceError, UnclearWrite if it may be there."""
        response = self._asked(method, f"{self._api}{path}", body)
        value = _value(response)
        if not isinstance(value, dict):
            raise _not_github(response, "an object was asked for")
        return value

    def ask(self, query: str, **variables: Json) -> JsonObject | None:
        """Give the `data` of a GraphQL query; None when this token may not ask, which some may not."""
        try:
            response = self._asked("POST", self._graphql, {"query": query, "variables": variables})
            answer = _value(response)
        except (NotPermitted, Rejected, NotAnAnswer):
            return None
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else None

    def _checked(self, following: str, response: httpx.Response) -> str:
        """Let the address of a next page pass if it is below the API's; the server has named it."""
        try:
            url, home = httpx.URL(following), httpx.URL(self._api)
            alike = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port) and not url.userinfo
        except (httpx.InvalidURL, ValueError):
            alike = False
        if not alike or not url.path.startswith(f"{home.path.rstrip('/')}/"):
            raise _not_github(response, "the next part of a list is said to be elsewhere")
        return str(url)

    def _asked(self, method: str, address: str, body: JsonObject | None = None) -> httpx.Response:
        content = None if body is None else json.dumps(body, allow_nan=False).encode("ascii")
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._client.request(method, address, content=content, headers=headers)
        except NEVER_SENT as error:
            raise Unreachable(
                f"GitHub does not answer: {shortened(str(error), 120)}",
                hint=f"check the network and the address {self._api}",
            ) from None
        except httpx.TransportError as error:
            kind = UnclearWrite if method == "POST" else Unreachable
            why = shortened(str(error) or type(error).__name__, 120)
            raise kind(f"GitHub's answer was lost on its way: {why}", hint="run the job again") from None
        if not response.is_success:
            raise _refusal(response, method)
        return response


def _value(response: httpx.Response) -> Json:
    try:
        return parsed(response.content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _not_github(response, "it is no JSON") from None


def _not_github(response: httpx.Response, why: str) -> NotAnAnswer:
    return NotAnAnswer(
        f"what answered is not GitHub: {why}",
        hint="check GITHUB_API_URL; a proxy or a maintenance page may be in between",
        request_id=_request_id(response),
        status=response.status_code,
    )


def _refusal(response: httpx.Response, method: str) -> ServiceError:
    """Give the error that an answer stands for: limits before permissions, since both come as 403."""
    status, wait = response.status_code, asked_to_wait(response)
    kind: type[ServiceError] = Rejected
    what, hint = "GitHub refused it", ""
    if wait is not None:
        kind = TooManyRequests
        what = f"GitHub takes no request for {wait:,.0f} seconds more, and this run has waited long enough"
        hint = "run the job again later; too many jobs may share the token"
    elif status == 401:
        kind, what = Unauthorised, "GitHub does not take the token"
        hint = "give the step `env: GITHUB_TOKEN: ${{ github.token }}`, or a token that has not expired"
    elif status in {403, 404, 410}:
        kind, what = NotPermitted, "GitHub does not let this run do that"
    elif 300 <= status < 400:
        what, hint = "GitHub sends elsewhere", "was the repository renamed? GITHUB_REPOSITORY names it"
    elif status == 408 or status >= 500:
        kind = UnclearWrite if method == "POST" else NotAnAnswer
        what, hint = "GitHub has a fault of its own", "run the job again later"
    return kind(f"{what} ({status}){_said(response)}", hint=hint, request_id=_request_id(response), status=status)


def _said(response: httpx.Response) -> str:
    try:
        answer = parsed(response.content.decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    message = answer.get("message") if isinstance(answer, dict) else None
    return f": {shortened(message, 200)}" if isinstance(message, str) and message else ""


def _request_id(response: httpx.Response) -> str | None:
    found = response.headers.get("X-GitHub-Request-Id")
    return shortened(found, 80) if found else None
