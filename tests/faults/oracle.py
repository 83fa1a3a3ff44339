"""The independent judge: from what the service has seen alone, whether the promises were kept."""

import base64
from urllib.parse import quote

from bio_sync.sandbox import Revision
from tests.faults import comparison
from tests.faults.evidence import Evidence, Verdict

WINDOW = 8


def judge_writes(evidence: Evidence) -> Verdict:
    """Look at every write that was carried out."""
    verdict = Verdict()
    for place, revision in evidence.own:
        before = evidence.state(revision.page_id, place)
        if before is None or revision.page is None or revision.page_id not in evidence.files:
            verdict.add(
                "unmanaged touched", f"{revision.page_id} was written, and no file names it or it was not there"
            )
            continue
        after = comparison.content(revision.page)
        view = _view(evidence, revision)
        if view is None:
            verdict.add("wrong outcomes", f"{revision.page_id} was written and never read")
            continue
        _judge_age(evidence, revision, view, verdict)
        _judge_unmanaged(evidence, revision, (before, after), view[1], verdict)
        _judge_lost_updates(evidence, place, (before, after), view[1], verdict)
    _judge_double_writes(evidence, verdict)
    return verdict


def judge_key(key: str, texts: dict[str, str]) -> Verdict:
    """Look for eight characters of the secret, plain or in a disguise."""
    verdict = Verdict()
    windows = disguises(key)
    for name, text in texts.items():
        if any(window in text for window in windows):
            verdict.add("leaked keys", f"a part of the key stands in {name}")
    return verdict


def disguises(key: str) -> set[str]:
    """Give every run of eight characters of the secret, of its base64 (three shifts), hex and percent forms."""
    secret = key.partition(".")[2]
    raw = secret.encode()
    forms = [secret, quote(secret, safe=""), raw.hex(), raw.hex().upper()]
    forms += [base64.b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 : -4] for shift in range(3)]
    return {form[start : start + WINDOW] for form in forms for start in range(len(form) - WINDOW + 1)}


def _view(evidence: Evidence, revision: Revision) -> tuple[int, int] | None:
    """Give the last time that the client saw a page before it wrote it."""
    assert revision.request is not None
    views = [view for view in evidence.views(revision.page_id) if view[0] < revision.request]
    return views[-1] if views else None


def _judge_age(evidence: Evidence, revision: Revision, view: tuple[int, int], verdict: Verdict) -> None:
    assert revision.request is not None
    age = evidence.requests[revision.request].at - evidence.requests[view[0]].at
    if age > evidence.promises.max_age + 0.001:
        verdict.add("wrong outcomes", f"{revision.page_id} was written on a view {age:.1f} seconds old")


def _judge_unmanaged(
    evidence: Evidence,
    revision: Revision,
    states: tuple[comparison.Content, comparison.Content],
    seen: int,
    verdict: Verdict,
) -> None:
    """Look whether a write changed what is none of its file's business, but for edits that nobody could see."""
    file = evidence.files[revision.page_id]
    before, after = states
    places = [] if evidence.promises.normalises else comparison.touched(file, before, after)
    known = evidence.state(revision.page_id, seen)
    if known is not None and evidence.promises.merges:
        # Of an edit that nobody could see, what the write does not hold stays, and the rest is as it was seen.
        known = comparison.laid_over(before, known)
    for place in places:
        if known is not None and place not in comparison.touched(file, known, after):
            verdict.in_the_gap += 1
        else:
            verdict.add("unmanaged touched", f"{place} of {revision.page_id} changed by request {revision.request}")
    request = evidence.requests[revision.request or 0]
    if request.method == "PATCH" and isinstance(request.body, dict):
        for field in request.body:
            if not comparison.manages(file, field):
                verdict.add("unmanaged touched", f"{field} of {revision.page_id} was sent, and no file manages it")


def _judge_lost_updates(
    evidence: Evidence,
    place: int,
    states: tuple[comparison.Content, comparison.Content],
    seen: int,
    verdict: Verdict,
) -> None:
    """Look whether a write replaced what a person had set after the plan was made."""
    revision = evidence.history[place]
    before, after = states
    planned = evidence.views(revision.page_id)[0][1]
    plan = evidence.state(revision.page_id, planned)
    for edit_place in range(planned, place):
        edit = evidence.history[edit_place]
        if edit.by != "dashboard" or edit.page_id != revision.page_id or edit.page is None:
            continue
        was = evidence.state(edit.page_id, edit_place)
        assert was is not None
        assert plan is not None
        if not (replaced := _replaced(was, comparison.content(edit.page), plan, before, after)):
            continue
        assert revision.request is not None
        old = evidence.requests[revision.request].at - edit.at > evidence.promises.max_age
        if (edit_place < seen or old) and not _hidden(evidence, edit_place, seen):
            verdict.add("lost updates", f"{', '.join(replaced)} of {edit.page_id} by request {revision.request}")
        else:
            verdict.in_the_gap += 1


def _hidden(evidence: Evidence, edit_place: int, seen: int) -> bool:
    """Tell whether a service that shows writes late may not have shown an edit yet."""
    if not evidence.promises.stale:
        return False
    edit = evidence.history[edit_place]
    writes = [each.at for _, each in evidence.own if each.page_id == edit.page_id and each.at <= edit.at]
    views = [evidence.requests[number].at for number, place in evidence.views(edit.page_id) if place <= seen]
    return bool(writes) and bool(views) and views[-1] < writes[-1] + evidence.promises.stale


def _replaced(
    was: comparison.Content,
    edited: comparison.Content,
    plan: comparison.Content,
    before: comparison.Content,
    after: comparison.Content,
) -> list[str]:
    """Name what an edit had set, that was still so before a write, and that the write has changed."""
    old, new, planned = comparison.leaves(was), comparison.leaves(edited), comparison.leaves(plan)
    first, last = comparison.leaves(before), comparison.leaves(after)

    def alike(one: dict[str, object], other: dict[str, object], leaf: str) -> bool:
        return (leaf in one) == (leaf in other) and comparison.same(one.get(leaf), other.get(leaf))

    found = [
        leaf
        for leaf in sorted(old.keys() | new.keys())
        if not alike(old, new, leaf)
        and alike(first, new, leaf)
        and not alike(last, new, leaf)
        and not alike(planned, new, leaf)
    ]
    shared = set.intersection(*map(comparison.addresses, (was, edited, plan, before, after)))
    orders = [comparison.order(page, shared) for page in (was, edited, plan, before, after)]
    if orders[0] != orders[1] == orders[3] != orders[4] and orders[1] != orders[2]:
        found.append("the order of links")
    return found


def _judge_double_writes(evidence: Evidence, verdict: Verdict) -> None:
    """Look for writes that were carried out although an earlier one of this run had done it all."""
    written: set[tuple[str, str]] = set()
    for place, revision in evidence.own:
        assert revision.request is not None
        request = evidence.requests[revision.request]
        kind = (revision.page_id, request.path + request.method)
        left_at = evidence.seen.get(revision.request, place)
        now = evidence.state(revision.page_id, left_at)
        if kind in written and now is not None and _holds_already(request.path, request.body, now):
            verdict.add("double writes", f"request {revision.request} wrote {revision.page_id} once more")
        written.add(kind)


def _holds_already(path: str, body: object, now: comparison.Content) -> bool:
    if isinstance(body, dict):
        sent = {
            field: comparison.normal(value) or "" if field == "description" else value for field, value in body.items()
        }
        return all(comparison.same(now[field], value) for field, value in sent.items())
    return bool(now["published"]) == path.endswith("/publish")
