"""The ways in which a run is played: plainly, with a saved plan, on a full disk, several at once, and so on."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import threading
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from bio_sync import cli
from bio_sync.options import Session
from tests.faults import comparison
from tests.faults.evidence import APPLY, Promises, Said, Verdict
from tests.faults.oracle import judge_writes
from tests.faults.outcomes import judge
from tests.fulldisk import no_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.run import Workshop

PLAN = "plan.json"
STAYS = "\u200c\u200d"


def play(workshop: Workshop) -> Verdict:
    """Play a stage as it wants to be played, and judge it."""
    if workshop.stage.runs_at_once > 1:
        return _several(workshop)
    return _WAYS.get(workshop.stage.way, _plain)(workshop)


def _plain(workshop: Workshop) -> Verdict:
    first = workshop.begin()
    said = workshop.apply()
    return _judged(workshop, said, first, workshop.promises())


def _judged(workshop: Workshop, said: Said, first: int, promises: Promises) -> Verdict:
    evidence = workshop.evidence(said, first, promises)
    # Who was killed, or left at a second signal while it was telling of the first, says nothing.
    return judge_writes(evidence) if said.code is None else judge(evidence)


def _text(workshop: Workshop) -> Verdict:
    """Show the plan in every form for people before it is carried out: nothing in it may act on a terminal."""
    plans = [workshop.command("plan", "--format", form) for form in ("text", "markdown")]
    verdict = Verdict()
    for said in plans:
        for line in (said.out + said.err).splitlines():
            # A runner obeys lines that begin so, and `##[` anywhere.
            if line.lstrip().startswith("::") or "##[" in line:
                verdict.add("wrong outcomes", f"a runner would obey {line[:80]!r}")
            if any(_acts(character) for character in line):
                verdict.add("wrong outcomes", f"a terminal would obey {line[:80]!r}")
    verdict.join(_plain(workshop))
    return verdict


def _acts(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in STAYS


def _planned(workshop: Workshop) -> str:
    workshop.command("plan", "--out", PLAN, "-q")
    return (workshop.folder / PLAN).read_text("utf-8")


def _saved_plan(workshop: Workshop) -> Verdict:
    """Spoil a saved plan, or the world, and apply it: refused with nothing written, or no less true than ever."""
    text = _planned(workshop)
    spoiled = _spoiled(workshop, text)
    (workshop.folder / PLAN).write_text(spoiled, "utf-8")
    changed = spoiled != text
    verdict = _apply_plan(workshop, fine=not changed and workshop.stage.way == "plan")
    if workshop.stage.way == "plan":
        # Used once more: there is nothing left of what was agreed to.
        verdict.join(_apply_plan(workshop, fine=False), "used again: ")
    return verdict


def _apply_plan(workshop: Workshop, *, fine: bool) -> Verdict:
    first = workshop.begin()
    said = workshop.apply("--plan", PLAN)
    promises = workshop.promises()
    return _judged(workshop, said, first, replace(promises, may=frozenset()) if fine else promises)


def _spoiled(workshop: Workshop, text: str) -> str:
    stage = workshop.stage
    if stage.way == "flipped plan":
        place = stage.random.randrange(len(text))
        return text[:place] + chr(ord(text[place]) ^ (1 << stage.random.randrange(7))) + text[place + 1 :]
    if stage.way == "truncated plan":
        return text[: stage.random.randrange(len(text))]
    if stage.way == "other plan":
        document = json.loads(text)
        member, value = stage.random.choice(
            (("api_url", "https://xqr.co/api/v1"), ("format_version", "9.0"), ("digest", "sha256:" + "0" * 64))
        )
        return json.dumps(document | {member: value})
    if stage.way == "edited":
        stage.edit(stage.struck())()
    return text


def _full_disk(workshop: Workshop) -> Verdict:
    """Save a plan on a full disk: it fails, and the one from before is whole."""
    verdict = Verdict()
    text = _planned(workshop)
    with no_room():
        said = workshop.command("plan", "--out", PLAN)
    if said.code != 1 or (workshop.folder / PLAN).read_text("utf-8") != text:
        verdict.add("wrong outcomes", f"a plan on a full disk: exit {said.code}, and the old one is no more")
    if list(workshop.folder.glob(".*.part")):
        verdict.add("wrong outcomes", "half a file was left behind")
    verdict.join(_plain(workshop))
    return verdict


class _Lost(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, _: str, /) -> int:
        raise OSError(self._number, "lost")


def _nobody_reads(number: int) -> Callable[[Workshop], Verdict]:
    """Apply while nobody can read what is printed: what was begun is brought to its end all the same."""

    def played(workshop: Workshop) -> Verdict:
        first = workshop.begin()
        said = workshop.apply(out=_Lost(number))
        evidence = workshop.evidence(said, first, workshop.promises())
        verdict = judge_writes(evidence)
        if workshop.stage.patch == "replace":
            pages = {page["id"]: comparison.content(page) for page in workshop.stage.sandbox.pages}
            files = workshop.stage.files.items()
            left = [page_id for page_id, file in files if not comparison.is_as_wanted(file, pages[page_id])]
            lost = number == errno.ENOSPC
            if left or said.code != (0 if not lost else 3 if evidence.own else 1):
                verdict.add("wrong outcomes", f"nobody read it: exit {said.code}, and {left} are not as wanted")
        if "Traceback" in said.err:
            verdict.add("wrong outcomes", "a traceback")
        return verdict

    return played


def _several(workshop: Workshop) -> Verdict:
    """Apply from several machines at once; they take turns whenever one sleeps."""
    stage = workshop.stage
    first = workshop.begin()
    keys = [stage.sandbox.add_key() for _ in range(stage.runs_at_once)]
    said: dict[str, Said] = {}
    out, err = io.StringIO(), io.StringIO()

    def machine(place: int, key: str) -> None:
        file = workshop.folder / f".key{place}"
        file.write_text(key, "utf-8")
        try:
            stage.clock.sleep(place * stage.random.random())
            session = Session(clock=stage.clock, sleep=stage.clock.sleep)
            code = cli.run([*APPLY, "--force", "--api-key-file", str(file)], session)
            # Only one machine runs at a time: what stands there is its own report.
            said[key] = Said(code, out.getvalue(), err.getvalue())
            out.seek(0), out.truncate(), err.seek(0), err.truncate()
        finally:
            file.unlink()
            stage.clock.left()

    threads = [threading.Thread(target=machine, args=each) for each in enumerate(keys)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        stage.clock.joined_by(len(threads))
        for thread in threads:
            thread.start()
        stage.clock.left()
        for thread in threads:
            thread.join()
        stage.clock.joined_by(1)
    verdict = Verdict()
    for key in keys:
        workshop.said.append(said[key])
        evidence = workshop.evidence(said[key], first, workshop.promises(), key)
        verdict.join(judge(evidence), "one of several: ")
    return verdict


_WAYS: dict[str, Callable[[Workshop], Verdict]] = {
    "text": _text,
    "plan": _saved_plan,
    "flipped plan": _saved_plan,
    "truncated plan": _saved_plan,
    "other plan": _saved_plan,
    "edited": _saved_plan,
    "full disk": _full_disk,
    "full output": _nobody_reads(errno.ENOSPC),
    "closed pipe": _nobody_reads(errno.EPIPE),
}
