"""The client of one repository on GitHub: comments, issues, pull requests, in the few ways that we need them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Literal, Self

from bio_sync.errors import NotAnAnswer
from bio_sync.event import number_of
from bio_sync.github.connection import Connection
from bio_sync.github.marker import Kind, Marker, read_marker
from bio_sync.github.run import WorkflowRun
from bio_sync.jsonvalues import Json, JsonObject, member

# Who writes with the token of a workflow's run, where GraphQL may not be asked.
USUAL_AUTHOR = "github-actions[bot]"
# Of one pull request and one label there is one comment, and few more where somebody has hidden them.
MOST_NODES = 100
_VIEWER = """query($ids: [ID!]!) {
  viewer { login }
  nodes(ids: $ids) { ... on IssueComment { id isMinimized editor { __typename login } } }
}"""


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or an issue as GitHub has it; `number` is the issue's, or the comment's id.

    `node` is its name in GraphQL. Of a comment `hidden` tells that somebody has minimised it, and `editor` who changed
    it last, None when nobody did; neither means anything unless GitHub has `told`.
    """

    number: int
    node: str
    author: str
    body: str
    hidden: bool = False
    editor: str | None = None
    told: bool = False

    @property
    def marker(self) -> Marker | None:
        """Give the marker at the start of the body, whoever wrote it."""
        return read_marker(self.body)

    @property
    def edited(self) -> bool:
        """Tell whether somebody else than its author has changed it last."""
        return self.editor is not None and self.editor != self.author


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request of this repository that was merged: `head` is what was pushed, `commit` what became of it."""

    number: int
    head: str
    commit: str
    base: str
    default_branch: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What GraphQL tells: who we are, of which comments it tells, which are hidden, and who edited them, by node."""

    login: str = USUAL_AUTHOR
    told: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    editors: dict[str, str] = field(default_factory=dict)

    def of(self, post: Post) -> Post:
        """Give a comment with what is told of it."""
        node = post.node
        return replace(post, told=node in self.told, hidden=node in self.hidden, editor=self.editors.get(node))


class GitHub:
    """A client of the run's repository; close it, or use it in a `with`. Every failure is a ServiceError."""

    def __init__(self, run: WorkflowRun, *, timeout: float = 30.0, sleep: Callable[[float], None] = time.sleep) -> None:
        """Prepare a client; `timeout` seconds bound each request, `sleep` takes the place of waiting."""
        self.run = run
        self.sleep = sleep
        self._here = f"/repos/{run.repository}"
        self._connection = Connection(run, timeout=timeout, sleep=sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def login(self) -> str:
        """Give the name that we write under; an app's token may not ask REST for it, so GraphQL is asked."""
        return self._known(()).login

    def our_comments(self, number: int, kind: Kind, label: str) -> list[Post]:
        """Give our own comments with that marker on an issue or a pull request, the oldest first.

        Anybody can write our marker: ours are those that begin with it and that we have written.
        """
        listed = self._connection.entries(f"{self._here}/issues/{number}/comments")
        marked = [post for post in map(_comment, listed) if _is_marked(post, kind, label)]
        if not marked:
            return []
        login = self.login()
        # Only then: somebody else's comments must not take the room of ours.
        ours = sorted((post for post in marked if post.author == login), key=lambda post: post.number)
        known = self._known(ours[-MOST_NODES:]) if ours else _Known()
        return [known.of(post) for post in ours]

    def our_issues(self, state: Literal["open", "closed"], kind: Kind, label: str) -> Iterator[Post]:
        """Give our own issues with that marker in that state, the newest first; pull requests are no issues here."""
        login = self.login()
        listed = self._connection.entries(
            f"{self._here}/issues", creator=login, state=state, sort="created", direction="desc"
        )
        issues = (_issue(entry) for entry in listed if "pull_request" not in entry)
        return (post for post in issues if _is_marked(post, kind, label) and post.author == login)

    def post_comment(self, number: int, body: str) -> int:
        """Write a comment under an issue or a pull request, and give its id; UnclearWrite if it may be there."""
        return _comment(self._connection.send("POST", f"{self._here}/issues/{number}/comments", {"body": body})).number

    def edit_comment(self, comment: int, body: str) -> None:
        """Give a comment another body."""
        self._connection.send("PATCH", f"{self._here}/issues/comments/{comment}", {"body": body})

    def open_issue(self, title: str, body: str) -> int:
        """Write an issue, and give its number; UnclearWrite if it may be there."""
        return _issue(self._connection.send("POST", f"{self._here}/issues", {"title": title, "body": body})).number

    def edit_issue(self, number: int, **fields: str) -> None:
        """Change `body`, `state` or `state_reason` of an issue."""
        self._connection.send("PATCH", f"{self._here}/issues/{number}", dict(fields))

    def merged_by(self, commit: str) -> list[PullRequest]:
        """Give the pull requests of this repository whose merge made that commit, as far as GitHub knows them yet."""
        listed = self._connection.entries(f"{self._here}/commits/{commit}/pulls")
        found = [_pull_request(entry, self.run.repository) for entry in listed if entry.get("merged_at")]
        return [each for each in found if each is not None and each.commit == commit]

    def comment_address(self, number: int, comment: int) -> str:
        """Give the address of a comment on a pull request; GitHub's own is not needed, nor believed."""
        return f"{self.run.server_url}/{self.run.repository}/pull/{number}#issuecomment-{comment}"

    def issue_address(self, number: int) -> str:
        """Give the address of an issue."""
        return f"{self.run.server_url}/{self.run.repository}/issues/{number}"

    def _known(self, posts: Iterable[Post]) -> _Known:
        nodes: list[Json] = [post.node for post in posts if post.node]
        data = self._connection.ask(_VIEWER, ids=nodes)
        login, listed = member(data, "viewer", "login"), member(data, "nodes")
        told = [node for node in listed if isinstance(node, dict)] if isinstance(listed, list) else []
        return _Known(
            login=_text(login) or USUAL_AUTHOR,
            told=frozenset(str(node.get("id")) for node in told if "editor" in node),
            hidden=frozenset(str(node.get("id")) for node in told if node.get("isMinimized") is True),
            editors={str(node.get("id")): name for node in told if (name := _actor(node.get("editor")))},
        )


def newest(posts: Sequence[Post]) -> Post | None:
    """Give the post that was written last."""
    return max(posts, key=lambda post: post.number, default=None)


def _is_marked(post: Post, kind: Kind, label: str) -> bool:
    marker = post.marker
    return marker is not None and (marker.kind, marker.label) == (kind, label)


def _actor(value: Json) -> str | None:
    """Give the name of somebody as REST writes it: GraphQL leaves `[bot]` off the name of an app."""
    login = member(value, "login")
    if not isinstance(login, str):
        return None
    return f"{login.removesuffix('[bot]')}[bot]" if member(value, "__typename") == "Bot" else login


def _comment(entry: JsonObject) -> Post:
    return _post(entry, "id")


def _issue(entry: JsonObject) -> Post:
    return _post(entry, "number")


def _post(entry: JsonObject, name: str) -> Post:
    """Believe of an answer what a post has; somebody whose account is gone has written without a name."""
    number = number_of(entry.get(name))
    if number is None:
        raise NotAnAnswer(f"what answered is not GitHub: this has no {name}", hint="check GITHUB_API_URL")
    login, body = member(entry, "user", "login"), entry.get("body")
    return Post(number, node=_text(entry.get("node_id")), author=_text(login), body=_text(body))


def _pull_request(entry: JsonObject, repository: str) -> PullRequest | None:
    """Read a pull request into this repository; None for one into another, or one that lacks something."""
    number, home = number_of(entry.get("number")), member(entry, "base", "repo")
    head, commit = _text(member(entry, "head", "sha")), _text(entry.get("merge_commit_sha"))
    base, default_branch = _text(member(entry, "base", "ref")), _text(member(home, "default_branch"))
    if number is None or not all((head, commit, base, default_branch)):
        return None
    if _text(member(home, "full_name")).lower() != repository.lower():
        return None
    return PullRequest(number, head, commit, base, default_branch)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
