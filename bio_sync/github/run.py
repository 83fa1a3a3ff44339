"""Where a run of a GitHub workflow stands, as its environment and its event file tell it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bio_sync.address import service_address
from bio_sync.errors import InvalidAddress, InvalidKey
from bio_sync.event import number_of, pushed_commit, read_event
from bio_sync.github.failures import NoGitHub
from bio_sync.jsonvalues import JsonObject, member
from bio_sync.key import TOKEN_VARIABLES, ApiKey
from bio_sync.visible import shortened

GITHUB_API, GITHUB_SERVER = "https://api.github.com", "https://github.com"
# GitHub's own rule for the names of owners and repositories; a dot or two alone would be a step in a path.
_REPOSITORY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run: its token, the addresses of its GitHub, its repository, and the pull request that it is for, if any.

    `head` is the commit that was pushed to the pull request, not the merge of it that a workflow checks out;
    `number` is the run's own. None is what the environment does not tell.
    """

    token: ApiKey
    repository: str
    api_url: str = GITHUB_API
    graphql_url: str = f"{GITHUB_API}/graphql"
    server_url: str = GITHUB_SERVER
    pull_request: int | None = None
    head: str | None = None
    number: int | None = None

    @property
    def address(self) -> str:
        """Give the address of the run's log; empty when the run has no number."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.number}" if self.number else ""


def read_run(environment: Mapping[str, str], *, pull_request: int | None = None) -> WorkflowRun:
    """Read the variables that GitHub sets for a step (GitHub, "Variables reference"), and the event file they name.

    `pull_request` takes the place of the event's. Raises NoGitHub for what is missing, and for what can't be right.
    """
    token = _token(environment)
    repository = environment.get("GITHUB_REPOSITORY", "").strip()
    if not repository:
        raise NoGitHub(
            "this is no run of a GitHub workflow: GITHUB_REPOSITORY is not set",
            hint="it is set in GitHub Actions; elsewhere, set it to OWNER/NAME",
        )
    if not _REPOSITORY.fullmatch(repository):
        raise NoGitHub(f"GITHUB_REPOSITORY is '{shortened(repository)}'", hint="it looks like OWNER/NAME")
    api = _address(environment, "GITHUB_API_URL", GITHUB_API)
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    # A pull request is an issue, too; a plain issue is no pull request.
    issue = member(event, "issue", "number") if member(event, "issue", "pull_request") else None
    told, head = number_of(member(event, "pull_request", "number")) or number_of(issue), pushed_commit(event)
    number = environment.get("GITHUB_RUN_ID", "")
    return WorkflowRun(
        token=token,
        repository=repository,
        api_url=api,
        graphql_url=_graphql_address(environment, api),
        server_url=_address(environment, "GITHUB_SERVER_URL", GITHUB_SERVER),
        pull_request=pull_request or told,
        head=head if pull_request in {None, told} else None,
        number=int(number) if _NUMBER.fullmatch(number) else None,
    )


def token_at_hand(environment: Mapping[str, str]) -> ApiKey | None:
    """Give the token that the environment holds, if it holds a good one: to keep it off the output, not to use it."""
    try:
        return _token(environment)
    except NoGitHub:
        return None


def _token(environment: Mapping[str, str]) -> ApiKey:
    text = next(filter(None, (environment.get(name, "").strip() for name in TOKEN_VARIABLES)), "")
    if not text:
        raise NoGitHub(
            "there is no GitHub token",
            hint="give the step `env: GITHUB_TOKEN: ${{ github.token }}`; elsewhere, set GITHUB_TOKEN",
        )
    try:
        return ApiKey(text)
    except InvalidKey:
        raise NoGitHub(
            "the GitHub token holds a character that no token has (a space, a line end, an accent or the like)",
            hint="copy it again, alone and on one line, into GITHUB_TOKEN",
        ) from None


def _address(environment: Mapping[str, str], name: str, usual: str) -> str:
    try:
        return service_address(environment.get(name, "").strip() or usual)
    except InvalidAddress:
        # Not shown: somebody may have put the token where the address belongs.
        raise NoGitHub(
            f"{name} is not an address that a token may be sent to", hint=f"it looks like {usual}, https only"
        ) from None


def _graphql_address(environment: Mapping[str, str], api: str) -> str:
    """Give the address of GraphQL, on the API's host: below it, or beside `/api/v3` on GitHub Enterprise Server."""
    address = _address(environment, "GITHUB_GRAPHQL_URL", f"{api.removesuffix('/v3')}/graphql")
    if address.split("/")[:3] != api.split("/")[:3]:
        raise NoGitHub(
            "GITHUB_GRAPHQL_URL is on another host than GITHUB_API_URL",
            hint="the token goes to one host: leave out GITHUB_GRAPHQL_URL",
        )
    return address


def _event(path: str) -> JsonObject:
    try:
        return read_event(path) if path else {}
    except (OSError, ValueError):
        raise NoGitHub(
            "the event file that GITHUB_EVENT_PATH names can't be read",
            hint="GitHub writes it; elsewhere, leave GITHUB_EVENT_PATH out and give --pull-request N",
        ) from None
