"""The environment variables that the code looks at; a test compares them with what is looked up in it."""

from collections.abc import Mapping

from reference_pages.writing import code, table

OF_THE_SERVICE: Mapping[str, str] = {
    "XQR_API_KEY": "The key. `--api-key-file` is stronger, `XQR_API_KEY_FILE` weaker. Empty is as if it were not set.",
    "XQR_API_KEY_FILE": "A file that holds the key alone.",
    "XQR_API_URL": "The address of the service, `https://xqr.co/api/v1` without it; `https` only, but for this "
    "machine's own addresses. `--api-url` is stronger.",
}
OF_THE_NETWORK: Mapping[str, str] = {
    "HTTPS_PROXY": "The proxy to go through, such as `http://proxy.example:3128`; `https_proxy` is read, too. An "
    "`http://` address, which is always this machine's own, never goes through one.",
    "NO_PROXY": "Hosts that are reached without the proxy, with commas between them; `no_proxy` is read, too.",
    "SSL_CERT_FILE": "A file of PEM certificates to believe instead of those that ship, such as a company's.",
    "SSL_CERT_DIR": "A folder of them, as OpenSSL reads it.",
}
OF_THE_TERMINAL: Mapping[str, str] = {
    "NO_COLOR": "Set and not empty: no colours, and no line that is rewritten. `--color` is stronger.",
    "FORCE_COLOR": "Set and not empty: colours also where the output is no terminal. `NO_COLOR` is stronger.",
    "TERM": "`dumb`: no colours, and no line that is rewritten.",
    "CI": "Set, and neither empty, `0` nor `false`: how far long work has come is told now and then, in lines of "
    "their own.",
}
OF_CI_SYSTEMS: Mapping[str, str] = {
    "GITHUB_TOKEN": "`comment`, `issue`: the token. It is cut out of all output, and no program that bio-sync starts "
    "gets to see it.",
    "GH_TOKEN": "The same, where there is no `GITHUB_TOKEN`.",
    "GITHUB_REPOSITORY": "`comment`, `issue`: OWNER/NAME.",
    "GITHUB_API_URL": "`comment`, `issue`: the address of GitHub's API; https only.",
    "GITHUB_GRAPHQL_URL": "`comment`, `issue`: the address of its GraphQL API; the same host.",
    "GITHUB_SERVER_URL": "`comment`, `issue`: what the link to the run begins with.",
    "GITHUB_RUN_ID": "`comment`, `issue`: the run that the link leads to.",
    "GITHUB_EVENT_PATH": "`comment`: the pull request and its last commit. `plan`: which commit was pushed.",
    "GITHUB_STEP_SUMMARY": "`comment`, `issue`: the file for what may not be posted.",
    "GITHUB_WORKSPACE": "`validate`: the root that paths in reports are seen from, where there is no `.git`.",
    "CI_PROJECT_DIR": "The same, on GitLab.",
}
_PARTS = (
    ("The service and its key", OF_THE_SERVICE),
    ("Network", OF_THE_NETWORK),
    ("Terminal", OF_THE_TERMINAL),
    ("CI systems", OF_CI_SYSTEMS),
)
# Both spellings: urllib takes either, and the small one is the stronger.
VARIABLES = frozenset(name for _, part in _PARTS for name in part) | {"https_proxy", "no_proxy"}


def environment() -> str:
    """Write the part of a page that lists them."""
    parts = (
        f"### {title}\n\n{table(('variable', 'meaning'), ((code(name), words) for name, words in part.items()))}"
        for title, part in _PARTS
    )
    return (
        "## Environment variables\n\n"
        "None of them is read from a file of the repository: a pull request could change it. Where macOS or Windows "
        "has a proxy in its settings, it is taken when no variable names one. `.netrc` is never read.\n\n"
        + "".join(parts)
    )
