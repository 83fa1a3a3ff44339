"""A folder, a local xQR and a clock that stands still: what a command says there, it says every time."""

import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bio_sync import __version__, cli
from bio_sync.options import Session
from bio_sync.sandbox import Behaviour, Sandbox, load_seed
from reference_pages.environment import VARIABLES

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
# What differs from run to run, and what it is shown as.
_SHOWN = (
    (re.compile(r"http://127\.0\.0\.1:\d+/api/v1"), "https://xqr.co/api/v1"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "https://bio.xqr.co"),
    (re.compile(r"xqr_pk_[0-9a-f]{8}"), "xqr_pk_1a2b3c4d"),
    (re.compile(r"req_[0-9a-f]{16}"), "req_5742907f68190714"),
    (re.compile(r"Python 3\.\d+\.\w+"), "Python 3.13.5"),
    (re.compile(rf"(?<=bio-sync ){re.escape(__version__)}"), "0.1.0"),
    (re.compile(rf'(?<="tool_version": "){re.escape(__version__)}(?=")'), "0.1.0"),
    (re.compile(r"answers, in \d+\.\d s"), "answers, in 0.1 s"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said on standard output and on standard error, and its exit code."""

    code: int
    out: str
    err: str


def typed(*words: str) -> Said:
    """Type a command where this process is; raises RuntimeError when it meets a bug, which no page is to show."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(words, Session(now=lambda: NOW))
    if "Traceback" in err.getvalue():
        raise RuntimeError(f"bio-sync {' '.join(words)}\n{err.getvalue()}")
    return Said(code, _shown(out.getvalue()), _shown(err.getvalue()))


def _shown(text: str) -> str:
    for pattern, words in _SHOWN:
        text = pattern.sub(words, text)
    return text


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """Work in an empty folder that is the root of a repository, without a key or any other setting."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        (Path(name) / ".git").mkdir()
        for variable in VARIABLES:
            os.environ.pop(variable, None)
        try:
            yield Path(name)
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def example_repository() -> Iterator[Path]:
    """Work among the example pages, with their live workspace behind them."""
    pages = load_seed(EXAMPLES / "live")
    behaviour = Behaviour(burst_limit=10_000)
    with empty_folder() as folder, Sandbox(pages=pages, behaviour=behaviour, clock=NOW.timestamp) as sandbox:
        shutil.copytree(EXAMPLES / "pages", folder / "pages")
        shutil.copytree(EXAMPLES / "drafts", folder / "drafts")
        shutil.copy(EXAMPLES / "bio-sync.yaml", folder)
        os.environ |= {"XQR_API_URL": sandbox.url, "XQR_API_KEY": sandbox.key}
        yield folder
