"""A stand-in for GitHub's REST and GraphQL APIs, on loopback over real HTTP.

    with GitHub() as github:                                # repository acme/pages, nothing in it
        number = github.open_pull_request(head=HEAD)        # a pull request; `push`, `merge` and `edit` go on with it
        environment = github.environment(folder, event=github.pull_request_event(number))
        …                                                   # run something with these variables
        assert github.comments[-1].body.startswith("<!--")  # also: .issues, .requests, .seen_tokens

Who may do what: `github.token` is a workflow's token with permission to write comments and issues;
`github.add_token(permissions={"pull-requests": "read"})` makes one that may less, `login=` one of somebody else's.
A repository is private unless `GitHub(public=True)`: then everybody may read.

Trouble: `github.fail(Fault(status=502, method="POST"))` lets the next matching request fail; see `Fault`. Everything
that came is in `github.requests`, with its headers: a test can say that the token went nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bio_sync.sandbox.serving import LOOPBACK, bound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from starlette.requests import Request as HttpRequest
    from starlette.types import Receive, Scope, Send

BOT = "github-actions[bot]"
# What GitHub takes of a body; it says so in its answer to a longer one.
MOST_CHARACTERS = 65_536
NO_PERMISSION = "Resource not accessible by integration"
DEFAULT_BRANCH = "main"
_LEVELS = ("none", "read", "write")


@dataclass(frozen=True)
class Post:
    """A comment (`number` is its issue's or pull request's) or an issue (`number` is its own) as GitHub has it."""

    id: int
    number: int
    author: str
    body: str
    title: str = ""
    state: str = "open"
    state_reason: str | None = None
    minimised: bool = False
    editor: str | None = None

    @property
    def node_id(self) -> str:
        return f"N_{self.id}"


@dataclass(frozen=True)
class PullRequest:
    """A pull request; `commit` is what the merge made, None before it, `trial` what GitHub tries the merge with."""

    number: int
    head: str
    base: str
    author: str
    fork: bool
    commit: str | None = None
    body: str = ""
    trial: str | None = None


@dataclass(frozen=True)
class Fault:
    """What becomes of the next `times` requests whose method and path (a pattern, found anywhere) match.

    status, headers, body: the answer instead of GitHub's; with `carried_out`, after the request was carried out.
    dropped: the answer breaks off. hangs: there is none until the end.
    """

    status: int = 500
    method: str = ""
    path: str = ""
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "Server Error"}'
    carried_out: bool = False
    dropped: bool = False
    hangs: bool = False

    def meets(self, method: str, path: str) -> bool:
        return self.method in {"", method} and bool(re.search(self.path, path))


@dataclass(frozen=True)
class Request:
    """A request as it came, and the status of its answer (0: none)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int


@dataclass(frozen=True)
class Token:
    """Whose a token is, and what it may; a permission that is not named is none, as in a workflow's file."""

    login: str
    permissions: Mapping[str, str]
    graphql: bool

    def may(self, level: str, *names: str) -> bool:
        return any(_LEVELS.index(self.permissions.get(name, "none")) >= _LEVELS.index(level) for name in names)


class GitHub:
    """A repository on a GitHub of its own; `api_path` is `/api/v3` on Enterprise Server, GraphQL stands beside it."""

    def __init__(self, repository: str = "acme/pages", *, public: bool = False, api_path: str = "") -> None:
        self.repository = repository
        self.public = public
        self.api_path = api_path
        self.comments: list[Post] = []
        self.issues: list[Post] = []
        self.pull_requests: dict[int, PullRequest] = {}
        self.requests: list[Request] = []
        self.page_size = 100
        # How often a merge is not known yet to who asks for its pull request.
        self.late_merges = 0
        # A list of issues that takes no notice of who is asked for.
        self.ignores_creator = False
        self.tokens: dict[str, Token] = {}
        self.token = self.add_token(permissions={"pull-requests": "write", "issues": "write", "contents": "read"})
        self._faults: deque[Fault] = deque()
        self._numbers = 0
        self._ids = 1_000
        self._lock = threading.RLock()
        self._server: _Server | None = None
        self.address = ""

    def __enter__(self) -> Self:
        listener = bound(0)
        self.address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self._server = _Server(self, listener)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.stop()

    @property
    def api_url(self) -> str:
        return f"{self.address}{self.api_path}"

    @property
    def graphql_url(self) -> str:
        return f"{self.address}{self.api_path.removesuffix('/v3')}/graphql"

    @property
    def seen_tokens(self) -> set[str]:
        """Every token that came, without `Bearer`."""
        return {request.headers.get("authorization", "").removeprefix("Bearer ") for request in self.requests}

    @property
    def writes(self) -> list[Request]:
        """The requests that were to change something."""
        return [each for each in self.requests if each.method != "GET" and not each.path.endswith("/graphql")]

    def add_token(self, login: str = BOT, *, permissions: Mapping[str, str] | None = None, graphql: bool = True) -> str:
        """Make a token; permissions are those of a workflow's file: `{"issues": "write"}`."""
        token = f"ghs_{secrets.token_hex(18)}"
        self.tokens[token] = Token(login, permissions or {}, graphql)
        return token

    def open_pull_request(
        self, *, head: str, base: str = DEFAULT_BRANCH, author: str = "ada", fork: bool = False, body: str = ""
    ) -> int:
        """Open a pull request and return its number."""
        with self._lock:
            number = self._next_number()
            self.pull_requests[number] = PullRequest(number, head, base, author, fork, body=body)
            return number

    def push(self, number: int, head: str) -> None:
        """Push another commit to a pull request."""
        self.pull_requests[number] = replace(self.pull_requests[number], head=head)

    def merge(self, number: int, commit: str) -> None:
        """Merge a pull request, which makes `commit` on its base."""
        self.pull_requests[number] = replace(self.pull_requests[number], commit=commit)

    def comment(self, number: int, body: str, *, author: str = "mallory") -> Post:
        """Comment as somebody else does."""
        with self._lock:
            self._ids += 1
            self.comments.append(Post(self._ids, number, author, body))
            return self.comments[-1]

    def issue(self, title: str, body: str, *, author: str = "mallory", state: str = "open") -> Post:
        """Open an issue as somebody else does."""
        with self._lock:
            self._ids += 1
            self.issues.append(Post(self._ids, self._next_number(), author, body, title, state))
            return self.issues[-1]

    def edit(self, post: Post, *, by: str = "", **fields: Any) -> Post:
        """Change a comment or an issue as a person does; `minimised=True` hides a comment."""
        with self._lock:
            there = self.comments if post in self.comments else self.issues
            changed = replace(post, **fields, editor=by or post.editor)
            there[there.index(post)] = changed
            return changed

    def fail(self, *faults: Fault) -> None:
        """Let requests meet faults; each is asked in its turn whether it meets."""
        for fault in faults:
            self._faults.extend([fault] * fault.times)

    def pull_request_event(self, number: int, action: str = "synchronize") -> dict[str, Any]:
        """Give the payload of a `pull_request` event, as far as anybody looks at it."""
        with self._lock:
            return {
                "action": action,
                "number": number,
                "pull_request": self._pull_request(self.pull_requests[number]),
                "repository": self._repository(),
            }

    def push_event(self, commit: str, branch: str = DEFAULT_BRANCH) -> dict[str, Any]:
        """Give the payload of a `push` event."""
        return {"ref": f"refs/heads/{branch}", "after": commit, "repository": self._repository()}

    def environment(
        self,
        folder: Path,
        *,
        event: Mapping[str, Any] | None = None,
        token: str | None = None,
        run_id: int = 1,
        summary: bool = True,
    ) -> dict[str, str]:
        """Give the variables that a step of a workflow gets; the event and the job summary are files in `folder`."""
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_GRAPHQL_URL": self.graphql_url,
            "GITHUB_SERVER_URL": self.address,
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_RUN_ID": str(run_id),
            "GITHUB_TOKEN": token or self.token,
        }
        if event is not None:
            path = folder / "event.json"
            path.write_text(json.dumps(event), encoding="utf-8")
            variables["GITHUB_EVENT_PATH"] = str(path)
        if summary:
            variables["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
        return variables

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    # What GitHub answers

    async def answer(self, request: HttpRequest) -> Response:
        """Answer a request: a fault that it meets, or what GitHub would say."""
        data = await request.body()
        body = json.loads(data) if data else None
        path = request.url.path
        with self._lock:
            fault = next((each for each in self._faults if each.meets(request.method, path)), None)
            if fault:
                self._faults.remove(fault)
            response = None
            if fault is None or fault.carried_out:
                response = self._carried_out(request, path, body)
            if fault:
                response = _Spoiled(fault)
            assert response is not None
            headers = {name.lower(): value for name, value in request.headers.items()}
            status = 0 if fault and (fault.hangs or fault.dropped) else response.status_code
            self.requests.append(Request(request.method, path, dict(request.query_params), headers, body, status))
        if fault and fault.hangs:
            assert self._server
            await self._server.ending.wait()
        return response

    def _carried_out(self, request: HttpRequest, path: str, body: Any) -> Response:
        token = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None:
            return _refused(401, "Bad credentials")
        if path == self.graphql_url.removeprefix(self.address):
            return self._graphql(token, body)
        here = f"{self.api_path}/repos/{self.repository}"
        for method, pattern, does in _ROUTES:
            found = re.fullmatch(re.escape(here) + pattern, path)
            if found and method == request.method:
                return does(self, token, request, body, *found.groups())
        return _refused(404, "Not Found")

    def _graphql(self, token: Token, asked: Any) -> Response:
        if not token.graphql:
            return _refused(403, NO_PERMISSION)
        assert "viewer { login }" in asked["query"]
        nodes = {comment.node_id: comment for comment in self.comments}
        found = [nodes.get(name) for name in asked["variables"]["ids"]]
        return JSONResponse(
            {
                "data": {
                    "viewer": {"login": token.login},
                    "nodes": [
                        comment
                        and {"id": comment.node_id, "isMinimized": comment.minimised, "editor": _actor(comment.editor)}
                        for comment in found
                    ],
                }
            }
        )

    def _list_comments(self, token: Token, request: HttpRequest, _: Any, number: str) -> Response:
        if not self.public and not token.may("read", "issues", "pull-requests"):
            return _refused(403, NO_PERMISSION)
        if int(number) not in {*self.pull_requests, *(issue.number for issue in self.issues)}:
            return _refused(404, "Not Found")
        return self._page(request, [self._comment(each) for each in self.comments if each.number == int(number)])

    def _post_comment(self, token: Token, _: HttpRequest, body: Any, number: str) -> Response:
        names = ("issues", "pull-requests") if int(number) in self.pull_requests else ("issues",)
        if not token.may("write", *names):
            return _refused(403, NO_PERMISSION)
        if refusal := _too_long(body):
            return refusal
        return JSONResponse(self._comment(self.comment(int(number), body["body"], author=token.login)), 201)

    def _edit_comment(self, token: Token, _: HttpRequest, body: Any, number: str) -> Response:
        if not token.may("write", "issues", "pull-requests"):
            return _refused(403, NO_PERMISSION)
        found = next((each for each in self.comments if each.id == int(number)), None)
        if found is None:
            return _refused(404, "Not Found")
        if refusal := _too_long(body):
            return refusal
        # Whoever may write may also change what others have said.
        return JSONResponse(self._comment(self.edit(found, by=token.login, body=body["body"])))

    def _list_issues(self, token: Token, request: HttpRequest, _: Any) -> Response:
        if not self.public and not token.may("read", "issues"):
            return _refused(403, NO_PERMISSION)
        creator, state = request.query_params.get("creator"), request.query_params.get("state", "open")
        pulls = [
            Post(number, number, each.author, each.body, state="closed" if each.commit else "open")
            for number, each in self.pull_requests.items()
        ]
        found = [
            self._issue(each)
            for each in sorted([*self.issues, *pulls], key=lambda post: -post.number)
            if (self.ignores_creator or creator in {None, each.author}) and state in {"all", each.state}
        ]
        return self._page(request, found)

    def _open_issue(self, token: Token, _: HttpRequest, body: Any) -> Response:
        if not token.may("write", "issues"):
            return _refused(403, NO_PERMISSION)
        if refusal := _too_long(body):
            return refusal
        return JSONResponse(self._issue(self.issue(body["title"], body["body"], author=token.login)), 201)

    def _edit_issue(self, token: Token, _: HttpRequest, body: Any, number: str) -> Response:
        if not token.may("write", "issues"):
            return _refused(403, NO_PERMISSION)
        found = next((each for each in self.issues if each.number == int(number)), None)
        if found is None:
            return _refused(404, "Not Found")
        if refusal := _too_long(body):
            return refusal
        return JSONResponse(self._issue(self.edit(found, by=token.login, **body)))

    def _merged_by(self, token: Token, request: HttpRequest, _: Any, commit: str) -> Response:
        if not self.public and not token.may("read", "pull-requests"):
            return _refused(403, NO_PERMISSION)
        found = [each for each in self.pull_requests.values() if commit in {each.head, each.commit, each.trial}]
        if self.late_merges:
            self.late_merges -= 1
            found = []
        return self._page(request, [self._pull_request(each) for each in found])

    def _page(self, request: HttpRequest, entries: list[Any]) -> Response:
        """Give a page of a list, with GitHub's `Link` header."""
        size = min(int(request.query_params.get("per_page", "30")), self.page_size)
        number = int(request.query_params.get("page", "1"))
        headers = {}
        if number * size < len(entries):
            query = urlencode({**request.query_params, "page": number + 1})
            last = urlencode({**request.query_params, "page": -(-len(entries) // size)})
            path = f"{self.address}{request.url.path}"
            headers["Link"] = f'<{path}?{query}>; rel="next", <{path}?{last}>; rel="last"'
        return JSONResponse(entries[(number - 1) * size : number * size], headers=headers)

    def _comment(self, post: Post) -> dict[str, Any]:
        return {
            "id": post.id,
            "node_id": post.node_id,
            "html_url": f"{self.address}/{self.repository}/pull/{post.number}#issuecomment-{post.id}",
            "user": _user(post.author),
            "body": post.body,
        }

    def _issue(self, post: Post) -> dict[str, Any]:
        is_pull = post.number in self.pull_requests
        return {
            "id": post.id,
            "node_id": post.node_id,
            "number": post.number,
            "title": post.title,
            "state": post.state,
            "state_reason": post.state_reason,
            "user": _user(post.author),
            "body": post.body,
        } | ({"pull_request": {"url": f"{self.api_url}/pulls/{post.number}"}} if is_pull else {})

    def _repository(self) -> dict[str, Any]:
        return {"full_name": self.repository, "default_branch": DEFAULT_BRANCH, "private": not self.public}

    def _pull_request(self, pull: PullRequest) -> dict[str, Any]:
        home = {"full_name": f"{pull.author}/pages"} if pull.fork else self._repository()
        return {
            "number": pull.number,
            "state": "closed" if pull.commit else "open",
            "user": _user(pull.author),
            "head": {"sha": pull.head, "ref": "change", "repo": home},
            "base": {"ref": pull.base, "sha": "0" * 40, "repo": self._repository()},
            "merged_at": "2026-11-22T10:00:00Z" if pull.commit else None,
            "merge_commit_sha": pull.commit or pull.trial,
        }


_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", r"/issues/(\d+)/comments", GitHub._list_comments),
    ("POST", r"/issues/(\d+)/comments", GitHub._post_comment),
    ("PATCH", r"/issues/comments/(\d+)", GitHub._edit_comment),
    ("GET", r"/issues", GitHub._list_issues),
    ("POST", r"/issues", GitHub._open_issue),
    ("PATCH", r"/issues/(\d+)", GitHub._edit_issue),
    ("GET", r"/commits/([0-9a-f]+)/pulls", GitHub._merged_by),
]


def _user(login: str) -> dict[str, str]:
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def _actor(login: str | None) -> dict[str, str] | None:
    """GraphQL leaves `[bot]` off the name of an app."""
    if login is None:
        return None
    return {"__typename": _user(login)["type"], "login": login.removesuffix("[bot]")}


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"message": message, "documentation_url": "", "status": str(status)}, status)


def _too_long(body: Any) -> Response | None:
    text = body.get("body", "")
    if len(text) <= MOST_CHARACTERS:
        return None
    return _refused(422, f"Validation Failed: body is too long (maximum is {MOST_CHARACTERS} characters)")


class _Spoiled(Response):
    """The answer of a fault; a dropped one says that it is longer than it is, and ends its connection."""

    def __init__(self, fault: Fault) -> None:
        self._dropped = fault.dropped
        media = "text/html" if fault.body.startswith("<") else "application/json"
        super().__init__(fault.body, fault.status, dict(fault.headers), media)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._dropped:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class _Server(uvicorn.Server):
    """uvicorn in a daemon thread, without its polling: quick to start and to end."""

    def __init__(self, github: GitHub, listener: Any) -> None:
        async def every(request: HttpRequest) -> Response:
            return await github.answer(request)

        handler = cast("Callable[[HttpRequest], Awaitable[Response]]", every)
        app = Starlette(routes=[Route("/{path:path}", handler, methods=["GET", "POST", "PATCH", "PUT", "DELETE"])])
        super().__init__(
            uvicorn.Config(
                app, http="h11", loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False
            )
        )
        self.ending = asyncio.Event()
        self._listener = listener
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self.run, args=([listener],), name="github", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self.ending.set)
        self._thread.join()
        self._listener.close()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self.ending.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        for closing in (*self.servers, *(sockets or ())):
            closing.close()
        for connection in tuple(self.server_state.connections):
            cast("Any", connection).shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)
        for connection in tuple(self.server_state.connections):
            cast("Any", connection).transport.abort()
        await asyncio.sleep(0)
