"""Links that come and go: what a moment is, what shows at one, and that plans and applies keep to it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_sync import cli, pages, planfile, timetable
from bio_sync.adopt import adopt
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.model import PageContent
from bio_sync.options import Session
from bio_sync.planning import Plan, Transition
from bio_sync.render import RENDERERS
from bio_sync.sandbox import Sandbox
from bio_sync.schemafiles import schema_text
from bio_sync.timetable import NotAMoment, moment, page_at, transitions
from tests import strategies as some
from tests.conftest import Result, Run
from tests.test_git import Repository, no_settings_of_the_developer
from tests.test_nothing_acts import CHECKS, NAUGHTY, check_html
from tests.test_render_text import content, plan_of

__all__ = ["no_settings_of_the_developer"]

MENU: JsonObject = {"label": "Menu", "url": "https://bakery.example/menu"}
TREES: JsonObject = {"label": "Christmas tree sale", "url": "https://bakery.example/trees"}
BEGINS, ENDS = "2026-12-24T09:00+01:00", "2026-12-27T00:00+01:00"
EARLY, DURING, LATE = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (1, 25, 31))
LINES = re.compile(r"    (\S+)  +([+-]) (.*?)  +(\S+)")

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Few moments, so that windows begin and end where others do, and at the moment that is asked for.
instants = st.integers(0, 5).map(lambda hours: datetime(2026, 12, 24, 9, tzinfo=UTC) + timedelta(hours=hours))
texts_of_moments = st.builds(lambda instant, zone: instant.astimezone(zone).isoformat(), instants, offsets)


@st.composite
def links(draw: st.DrawFn) -> list[JsonObject]:
    """Draw links, some with a window that is none the other way round, all with different labels."""
    drawn: list[JsonObject] = []
    for number in range(draw(st.integers(0, 6))):
        window = {key: draw(texts_of_moments) for key in timetable.KEYS if draw(st.booleans())}
        if len(window) == 2 and moment(window["show_until"]) <= moment(window["show_from"]):
            window.popitem()
        drawn.append({"label": f"Link {number}", "url": f"https://{number}.example", **window})
    return drawn


def shown(links: Sequence[JsonObject], at: datetime) -> list[Json]:
    """Give the links that a visitor is to see, told in other words than the code's."""
    seen: list[Json] = []
    for link in links:
        begins, ends = link.get("show_from", "0001-01-02T00:00Z"), link.get("show_until", "9999-12-30T00:00Z")
        if datetime.fromisoformat(str(begins)) <= at and not datetime.fromisoformat(str(ends)) <= at:
            seen.append({"label": link["label"], "url": link["url"]})
    return seen


def document(links: Sequence[JsonObject], **more: Json) -> JsonObject:
    return {"id": "bio_1", "title": "Bakery", "page_data": {"links": list(links), **more}}


def links_of(page: JsonObject) -> Any:
    return some.as_object(page["page_data"])["links"]


@pytest.fixture
def run_at(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run the command line when it is another time of day."""

    def call(now: datetime, *arguments: str) -> Result:
        capfd.readouterr()
        code = cli.run(arguments, Session(now=lambda: now))
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


RunAt = Callable[..., Result]


def write(folder: Path, page: JsonObject, name: str = "bakery") -> None:
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / f"{name}.yaml").write_text(json.dumps(page), encoding="utf-8")


def live(links: Sequence[JsonObject], page_id: str = "bio_1") -> dict[str, Any]:
    return {"id": page_id, "title": "Bakery", "slug": page_id, "is_published": True, "page_data": {"links": links}}


@pytest.fixture
def bakery(folder: Path, start_sandbox: Callable[..., Sandbox]) -> Sandbox:
    write(folder, document([MENU, TREES | {"show_from": BEGINS, "show_until": ENDS}]))
    return start_sandbox([live([MENU])])


# What a moment is.


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets))  # noqa: DTZ001 - offsets gives theirs
def test_every_moment_reads_back_as_it_was_written(when: datetime) -> None:
    assert moment(when.isoformat()) == when
    assert moment(when.isoformat(timespec="minutes")) == when.replace(second=0, microsecond=0)
    milliseconds = when.microsecond // 1000 * 1000
    assert moment(when.isoformat(timespec="milliseconds")) == when.replace(microsecond=milliseconds)
    assert moment(when.astimezone(UTC).isoformat().replace("+00:00", "Z")) == when
    # RFC 3339, section 5.6: T and Z may be small, and of a second there may be as many digits as somebody likes.
    assert moment(when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "0001z").lower()) == when


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), offsets)  # noqa: DTZ001 - UTC, which has the months
def test_a_leap_second_is_the_moment_at_which_the_next_month_begins_and_there_is_none_elsewhere(
    when: datetime, zone: timezone
) -> None:
    month = when.replace(day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    last = (month - timedelta(seconds=1)).astimezone(zone).isoformat()
    assert moment(f"{last[:17]}60{last[19:]}") == month
    elsewhere = when.replace(second=59, microsecond=0, tzinfo=UTC)
    if (elsewhere + timedelta(seconds=1)).timetuple()[2:5] != (1, 0, 0):
        with pytest.raises(NotAMoment) as caught:
            moment(f"{elsewhere.isoformat()[:17]}60Z")
        assert caught.value.hint.startswith("write 59 for the seconds, or the next minute; 60 is only at 23:59:60")


FORM = st.from_regex(timetable._MOMENT, fullmatch=True)
edits = st.builds(lambda text, at, put: text[:at] + put + text[at + 1 :], FORM, st.integers(0, 30), st.text(max_size=2))


@given(FORM | edits)
def test_what_the_tool_takes_for_a_moment_has_the_form_that_editors_and_scripts_are_told(text: str) -> None:
    page, plan = json.loads(schema_text("page")), json.loads(schema_text("plan"))
    link = page["properties"]["page_data"]["properties"]["links"]["items"]["properties"]
    forms = {link[key]["pattern"] for key in timetable.KEYS} | {plan["definitions"]["moment"]["pattern"]}
    assert len(forms) == 1
    try:
        moment(text)
        has_form = True
    except NotAMoment as error:
        has_form = "there is not" in error.reason
    assert (re.fullmatch(forms.pop().strip("^$"), text) is not None) == has_form


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tomorrow", "is not a moment"),
        ("", "is not a moment"),
        ("2026-12-24", "is not a moment"),
        ("2026-12-24 09:00+01:00", "is not a moment"),
        ("20261224T0900Z", "is not a moment"),
        ("2026-12-24T09:00+0100", "is not a moment"),
        ("2026-12-24T09:00Z\n", "is not a moment"),
        ("２０２６-12-24T09:00Z", "is not a moment"),
        ("2026-12-24T09:00", "is not a moment: it has no offset"),
        ("2026-02-30T09:00Z", "is a date or a time that there is not"),
        ("2026-12-24T24:00Z", "is a date or a time that there is not"),
        ("2026-12-24T09:60Z", "is a date or a time that there is not"),
        ("2026-12-24T09:00+24:00", "is a date or a time that there is not"),
        ("2026-12-24T09:00+01:60", "is a date or a time that there is not"),
        ("0000-01-01T00:00Z", "is a date or a time that there is not"),
        ("0001-01-01T00:00+01:00", "is a date or a time that there is not"),
    ],
)
def test_what_is_no_moment_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(NotAMoment) as caught:
        moment(text)
    assert caught.value.reason == reason
    assert caught.value.hint


# What shows at one.


@given(links(), instants)
def test_the_page_wanted_at_a_moment_has_exactly_the_links_whose_window_holds_it(
    links: list[JsonObject], at: datetime
) -> None:
    assert links_of(page_at(document(links), at)) == shown(links, at)


@given(links(), instants, instants)
def test_what_was_announced_is_all_that_happens_until_a_later_moment(
    links: list[JsonObject], at: datetime, later: datetime
) -> None:
    now = {link["label"] for link in links_of(page_at(document(links), at))}
    announced = sorted(transitions(document(links), file="f", after=at), key=lambda each: each[0])
    for when, transition in announced:
        assert at < when == moment(transition.moment)
        if when <= later:
            assert (transition.label in now) is not transition.shows
            now ^= {transition.label}
    if at <= later:
        assert now == {link["label"] for link in links_of(page_at(document(links), later))}


LEFT = ("/page_data", "/page_data/links", "/page_data/links/*", "/page_data/theme", "/page_data/links/*/badge",
        "/page_data/links/1/badge")  # fmt: skip


@given(links(), st.lists(st.sampled_from(LEFT), max_size=2), st.booleans())
def test_what_is_left_as_it_is_live_is_not_announced_and_what_is_announced_happens(
    links: list[JsonObject], ignore: list[str], of_the_file: bool
) -> None:
    page = document(links) | ({"ignore": list[Json](ignore)} if of_the_file else {})
    more = () if of_the_file else tuple(ignore)
    before = PageContent("Bakery", None, some.as_object(page_at(page, EARLY)["page_data"]), published=True)
    changes = sorted(transitions(document(links), file="f", after=EARLY), key=lambda each: each[0])
    # What comes at one moment with another, or after one that did not come, has no place of its own.
    if not changes or (len(changes) > 1 and changes[1][0] == changes[0][0]):
        return
    when, first = changes[0]
    wanted = timetable.desired_at(page, when, file="f", ignore=more)
    labels = [[link["label"] for link in links_of(content.as_json())] for content in (before, adopt(wanted, before))]
    happens = (first.label in labels[0]) is not (first.label in labels[1])
    announced = [each for each in transitions(page, file="f", after=EARLY, ignore=more) if each[0] == when]
    assert announced == ([changes[0]] if happens else [])


@pytest.mark.parametrize("key", ["show_form", "showroom", "shop_from"])
def test_a_key_like_a_time_with_a_value_that_is_none_is_no_slip(key: str) -> None:
    page = document([MENU | {key: "contact"}])
    assert list(timetable.without_effect(page)) == []


@pytest.mark.parametrize("place", range(3))
def test_nothing_is_announced_where_a_link_is_left_as_it_is_by_its_number(place: int) -> None:
    """Of three, the second one ending takes the third one away when it is the second place that stays."""
    page = document([MENU, TREES | {"show_until": ENDS}, {"label": "C", "url": "https://c.example"}])
    assert list(transitions(page, file="f", after=EARLY, ignore=(f"/page_data/links/{place}",))) == []


def test_a_plan_announces_no_link_that_is_left_as_it_is_live(bakery: Sandbox, folder: Path, run_at: RunAt) -> None:
    page = document([MENU, TREES | {"show_from": BEGINS, "show_until": ENDS}])
    for pointer in LEFT[:3]:
        write(folder, page | {"ignore": [pointer]})
        assert "Next:" not in run_at(EARLY, "plan").out
    write(folder, page)
    (folder / "bio-sync.yaml").write_text("ignore: [/page_data/links]\n")
    assert "Next:" not in run_at(EARLY, "plan").out
    assert run_at(DURING, "plan", "--detailed-exitcode").code == 0


def test_the_same_keys_elsewhere_on_a_page_are_ordinary_keys() -> None:
    elsewhere: JsonObject = {"show_from": BEGINS, "banner": {"show_until": "soon"}, "more": [{"show_from": BEGINS}]}
    badge: JsonObject = {"badge": {"show_from": BEGINS}}
    page = document([MENU | badge | {"show_from": BEGINS}], **elsewhere)
    assert page_at(page, DURING) == document([MENU | badge], **elsewhere)
    assert page_at(page, EARLY) == document([], **elsewhere)


def test_a_time_that_is_null_is_one_that_is_left_out() -> None:
    assert links_of(page_at(document([MENU | {"show_from": None, "show_until": None}]), EARLY)) == [MENU]


@pytest.mark.parametrize("page_data", [None, [], {"links": None}, {"links": {"show_from": 1}}, {"links": [1, [MENU]]}])
def test_a_file_of_an_older_commit_may_hold_anything_where_links_belong(page_data: Json) -> None:
    page: JsonObject = {"id": "bio_1", "page_data": page_data}
    assert page_at(page, EARLY) == page
    assert list(transitions(page, file="f", after=EARLY)) == []


# What reads like a time and is none.


SLIPS = {"show_from": ("showFrom", "show-from", "Show_from", "show_form", "show from", "shwo_from", "SHOW_FROM"),
         "show_until": ("show_untill", "showUntil", "show-until", "show_unitl", "Show_Until", "show_util")}  # fmt: skip


@given(st.sampled_from([(slip, meant) for meant, slips in SLIPS.items() for slip in slips]))
def test_a_slip_in_the_name_of_a_time_is_told_at_its_place(slip_and_meant: tuple[str, str]) -> None:
    slip, meant = slip_and_meant
    page = document([MENU, MENU | {slip: BEGINS}])
    message = f"the key '{slip}' has no effect on when the link shows"
    told = (("page_data", "links", 1, slip), message, f"did you mean '{meant}'?")
    assert list(timetable.without_effect(page)) == [told]
    assert any(part in slip.lower() for part in pages._LIKE_A_TIME)


@given(st.text(max_size=12) | st.sampled_from(["show", "until", "from", "show_icon", "valid_from", "x-show_from"]))
def test_a_key_is_taken_for_a_slip_only_when_most_of_it_is_the_name_of_a_time(key: str) -> None:
    page = document([MENU | {key: BEGINS, f"x-{key}": BEGINS}])
    letters = key.lower().translate({ord(mark): None for mark in "_- "})
    common = max(sum(min(letters.count(each), name.count(each)) for each in set(name)) for name in TIMES)
    if list(timetable.without_effect(page)):
        assert common >= 6
        assert not key.startswith("x-")
    assert not list(timetable.without_effect(document([MENU | {"show_form": True, "show_from": BEGINS}])))


TIMES = ("showfrom", "showuntil")


def test_a_time_in_another_list_is_told_and_elsewhere_it_is_an_ordinary_key() -> None:
    item: JsonObject = {"show_from": BEGINS, "label": "A"}
    page = document([MENU | {"more": [item], "badge": item}], show_until="soon", banner=item)
    page["page_data"] = some.as_object(page["page_data"]) | {"tabs": [{"links": [item]}, [item]], "x-tabs": [item]}
    hint = "write it into a link; elsewhere it is an ordinary key, and is sent"
    assert list(timetable.without_effect(page)) == [
        (("page_data", *place, 0, "show_from"), "'show_from' has an effect only in links", hint)
        for place in (("links", 0, "more"), ("tabs", 0, "links"), ("tabs", 1))
    ]


def test_a_slip_is_told_by_validate_and_by_the_plan_that_would_show_the_link_at_once(
    bakery: Sandbox, folder: Path, run: Run
) -> None:
    write(folder, document([MENU, TREES | {"show_untill": ENDS}]))
    told = "the key 'show_untill' has no effect on when the link shows"
    column = (folder / "pages/bakery.yaml").read_text().index('"show_untill"') + 1
    checked = run("validate")
    assert (checked.code, checked.out) == (0, "1 page file, no problems\n")
    place = f"pages/bakery.yaml:1:{column}: /page_data/links/1/show_untill"
    assert checked.err == f"warning: {place}: {told}\n  hint: did you mean 'show_until'?\n"
    assert f"! pages/bakery.yaml:1: {told}; did you mean 'show_until'?\n" in run("plan").out


# Plans and applies.


@settings(max_examples=12)
@given(links(), instants, instants)
def test_plans_and_applies_at_two_moments_converge_and_never_send_the_times(
    bakery: Sandbox, folder: Path, run_at: RunAt, links: list[JsonObject], first: datetime, second: datetime
) -> None:
    write(folder, document(links))
    before = len(bakery.requests)
    for at in (first, second):
        told = run_at(EARLY, "plan", "--at", at.isoformat(), "--format", "json")
        wanted = [{"label": link["label"], "url": link["url"]} for link in links if link in _shown_of(links, at)]
        assert run_at(at, "apply", "--yes", "--force").code == 0
        assert bakery.page("bio_1")["page_data"]["links"] == wanted
        assert [change["after"]["page_data"]["links"] for change in json.loads(told.out)["changes"]] in ([wanted], [])
        assert run_at(at, "plan", "--detailed-exitcode").code == 0
    assert not [call for call in bakery.requests[before:] if re.search("show_(from|until)", json.dumps(call.body))]


def _shown_of(links: Sequence[JsonObject], at: datetime) -> list[JsonObject]:
    labels = [some.as_object(link)["label"] for link in shown(links, at)]
    return [link for link in links if link["label"] in labels]


def test_a_scheduled_apply_carries_the_transitions_out_when_their_time_has_come(bakery: Sandbox, run_at: RunAt) -> None:
    on_the_page = []
    for now in (EARLY, DURING, LATE):
        assert run_at(now, "apply", "--yes").code == 0
        on_the_page.append(bakery.page("bio_1")["page_data"]["links"])
    assert on_the_page == [[MENU], [MENU, TREES], [MENU]]


def test_a_link_shows_from_its_first_moment_on_and_not_at_its_last(bakery: Sandbox, run_at: RunAt) -> None:
    second = timedelta(seconds=1)
    moments = [moment(BEGINS) - second, moment(BEGINS), moment(ENDS) - second, moment(ENDS)]
    assert [run_at(at, "plan", "--detailed-exitcode").code for at in moments] == [0, 2, 2, 0]


def test_a_plan_tells_what_comes_next(bakery: Sandbox, run_at: RunAt) -> None:
    out = run_at(EARLY, "plan").out
    assert out.startswith(
        "Next: links that appear or vanish by themselves when a scheduled apply runs.\n"
        '    2026-12-24T09:00+01:00  + "Christmas tree sale"  pages/bakery.yaml\n'
        '    2026-12-27T00:00+01:00  - "Christmas tree sale"  pages/bakery.yaml\n'
        "\n"
        "No changes."
    )
    assert "As of" not in out
    assert LINES.findall(run_at(DURING, "plan").out) == [(ENDS, "-", '"Christmas tree sale"', "pages/bakery.yaml")]
    assert "Next:" not in run_at(LATE, "plan").out


def test_a_plan_for_a_moment_says_that_it_is_one(bakery: Sandbox, run: Run) -> None:
    out = run("plan", "--at", BEGINS).out
    assert '    + link 2  "Christmas tree sale"  https://bakery.example/trees\n' in out
    assert f"As of {BEGINS}: links as they show at that moment, and live pages as they are now.\nPlan: " in out
    assert f"**As of `{BEGINS}`:** links" in run("plan", "--at", BEGINS, "--format", "markdown").out
    assert f"<strong>As of {BEGINS}:</strong> links" in run("plan", "--at", BEGINS, "--format", "html").out


def test_the_plan_as_json_has_the_moment_and_all_that_comes_after_it(bakery: Sandbox, run_at: RunAt) -> None:
    made = json.loads(run_at(EARLY, "plan", "--at", "2026-12-24T07:59:59Z", "--format", "json").out)
    assert made["at"] == "2026-12-24T07:59:59Z"
    assert made["created_at"] == "2026-12-01T12:00:00Z"
    common = {"page_id": "bio_1", "file": "pages/bakery.yaml", "label": "Christmas tree sale"}
    assert made["transitions"] == [
        {"moment": BEGINS, **common, "action": "show"},
        {"moment": ENDS, **common, "action": "hide"},
    ]
    made = json.loads(run_at(LATE, "plan", "--format", "json").out)
    assert (made["at"], made["transitions"]) == (None, [])


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("tomorrow", "'tomorrow' is not a moment; write it like 2026-12-24T09:00+01:00: date, T, time, offset."),
        ("2026-12-24T09:00", "it has no offset; say whose clock it is: add an offset such as +01:00"),
        ("2026-02-30T09:00Z", "'2026-02-30T09:00Z' is a date or a time that there is not"),
        ("\x1b[2J", r"'\x1b[2J' is not a moment"),
        ("", "it is empty: is a variable unset?"),
    ],
)
def test_a_time_to_plan_for_that_is_none_is_wrong_usage_with_a_way_out(
    bakery: Sandbox, run: Run, time: str, words: str
) -> None:
    result = run("plan", "--at", time)
    assert (result.code, result.out) == (64, "")
    assert f"error: Invalid value for '--at': {words}" in result.err or words in result.err
    assert bakery.requests == []


def test_a_saved_plan_for_a_moment_is_written_when_that_moment_wants_the_same_and_not_before(
    bakery: Sandbox, run: Run, run_at: RunAt
) -> None:
    assert run("plan", "--at", BEGINS, "--out", "plan.json").code == 0
    early = run_at(EARLY, "apply", "--plan", "plan.json")
    assert early.code == 1
    assert "error: the plan is no longer what would be written: pages/bakery.yaml (bio_1) has nothing left" in early.err
    assert f"hint: it was made for {BEGINS}, and this is now; look at a new plan" in early.err
    assert bakery.page("bio_1")["page_data"]["links"] == [MENU]
    assert run_at(DURING, "apply", "--plan", "plan.json").code == 0
    assert bakery.page("bio_1")["page_data"]["links"] == [MENU, TREES]


def test_a_saved_plan_that_time_alone_has_overtaken_names_the_link_whose_time_has_come(
    bakery: Sandbox, folder: Path, run_at: RunAt
) -> None:
    write(folder, document([TREES | {"show_until": ENDS}, MENU], title="New"))
    assert run_at(DURING, "plan", "--out", "plan.json").code == 0
    late = run_at(moment(ENDS), "apply", "--plan", "plan.json")
    assert late.code == 1
    label = TREES["label"]
    assert f"hint: since then it was time for a link: '{label}' of pages/bakery.yaml at {ENDS}; look at" in late.err
    assert "since then" not in run_at(EARLY, "apply", "--plan", "plan.json").err


def test_what_is_still_to_come_is_no_part_of_what_somebody_agrees_to(
    bakery: Sandbox, folder: Path, run_at: RunAt
) -> None:
    write(folder, document([TREES, MENU | {"show_until": ENDS}]))
    assert run_at(EARLY, "plan", "--out", "plan.json").code == 0
    write(folder, document([TREES | {"show_until": BEGINS}, MENU]))
    assert run_at(EARLY, "apply", "--plan", "plan.json").code == 0


def test_a_saved_plan_tells_its_moment_and_what_comes_next_again(bakery: Sandbox, run: Run, run_at: RunAt) -> None:
    first = run_at(EARLY, "plan", "--at", "2026-12-02T00:00Z", "--out", "plan.json").out
    assert "Next:" in first
    assert "As of 2026-12-02T00:00Z:" in first
    assert run("show", "plan.json").out == first


def test_a_plan_saved_before_there_were_moments_is_still_one(bakery: Sandbox, folder: Path, run_at: RunAt) -> None:
    run_at(DURING, "plan", "--out", "plan.json")
    saved = json.loads((folder / "plan.json").read_text())
    for member in ("at", "transitions", "left_as_live"):
        del saved[member]
    (folder / "plan.json").write_text(json.dumps(saved))
    assert run_at(DURING, "apply", "--plan", "plan.json").code == 0


def test_times_that_a_live_link_has_are_removed_as_any_key_unless_they_are_ignored(
    folder: Path, start_sandbox: Callable[..., Sandbox], run: Run
) -> None:
    start_sandbox([live([MENU | {"show_from": "then"}])])
    write(folder, document([MENU]))
    assert '    - link 1 "Menu" show_from  "then"\n' in run("plan").out
    write(folder, document([MENU]) | {"ignore": ["/page_data/links/*/show_from"]})
    assert "No changes." in run("plan").out


def test_a_page_whose_links_are_all_out_of_season_is_wanted_without_links(
    bakery: Sandbox, folder: Path, run_at: RunAt
) -> None:
    write(folder, document([MENU | {"show_from": ENDS}]))
    assert json.loads(run_at(EARLY, "plan", "--format", "json").out)["changes"][0]["patch"] == {
        "page_data": {"links": []}
    }


def test_moments_are_ordered_in_time_and_not_as_text_and_pages_by_their_files(
    folder: Path, start_sandbox: Callable[..., Sandbox], run_at: RunAt
) -> None:
    start_sandbox([live([], "bio_1"), live([], "bio_2")])
    # 10:00+02:00 is 08:00 in UTC.
    for page_id, name, times in (("bio_1", "b", ["09:00Z", "10:00+02:00"]), ("bio_2", "a", ["11:00+02:00"])):
        late = [MENU | {"label": time, "show_from": f"2026-12-24T{time}"} for time in times]
        write(folder, document(late) | {"id": page_id}, name)
    # A page that is gone will not change.
    write(folder, document([MENU | {"show_from": ENDS}]) | {"id": "bio_gone"}, "gone")
    found = LINES.findall(run_at(EARLY, "plan").out)
    assert [(label, file) for _, _, label, file in found] == [
        ('"10:00+02:00"', "pages/b.yaml"),
        ('"11:00+02:00"', "pages/a.yaml"),
        ('"09:00Z"', "pages/b.yaml"),
    ]


def with_transitions(count: int) -> Plan:
    page = content("Bakery", True)
    to_come = tuple(
        Transition(f"2026-12-{day + 1:02}T09:00Z", "bio_0", "pages/a.yaml", f"Link {day}", day % 2 == 0)
        for day in range(count)
    )
    return replace(plan_of([(page, page)]), transitions=to_come)


@pytest.mark.parametrize(("form", "most"), [("text", 5), ("markdown", 10), ("html", 10)])
def test_of_many_transitions_the_next_are_shown_and_the_others_counted(form: str, most: int) -> None:
    for count, more in ((most, 0), (most + 1, 1), (most + 2_000, 2_000)):
        told = RENDERERS[form](with_transitions(count))
        assert len(re.findall(r"2026-12-\d+T", told)) == most
        assert f"and {more:,} more" in told if more else " more" not in told.replace("more about", "")
        assert f"Link {most - 1}" in told


def test_every_form_says_whether_a_link_appears_or_vanishes() -> None:
    told = {form: RENDERERS[form](with_transitions(2)) for form in ("text", "markdown", "html")}
    assert (
        '2026-12-01T09:00Z  + "Link 0"  pages/a.yaml\n    2026-12-02T09:00Z  - "Link 1"  pages/a.yaml' in told["text"]
    )
    assert '- `2026-12-01T09:00Z`: `"Link 0"` appears, `pages/a.yaml`\n' in told["markdown"]
    assert '- `2026-12-02T09:00Z`: `"Link 1"` vanishes, `pages/a.yaml`\n' in told["markdown"]
    assert "&#34;Link 0&#34;</bdi> appears" in told["html"]
    assert "&#34;Link 1&#34;</bdi> vanishes" in told["html"]


def test_all_transitions_survive_the_file_of_a_plan() -> None:
    plan = replace(with_transitions(30), left_as_live=3)
    assert planfile.from_json(planfile.as_json(plan)) == plan


@pytest.mark.parametrize("text", NAUGHTY[::3], ids=lambda text: ascii(text[:24]))
def test_the_label_of_a_link_to_come_stays_text(text: str) -> None:
    plan = with_transitions(1)
    to_come = Transition(BEGINS, "bio_0", f"{text}.yaml", text, shows=True)
    plan = replace(
        plan, transitions=(to_come, replace(to_come, shows=False)), circumstances=replace(plan.circumstances, at=ENDS)
    )
    for check in (*CHECKS.values(), check_html):
        check(plan)


# With git.


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_sandbox: Callable[..., Sandbox]) -> Repository:
    """A page whose second link is for Christmas, committed, and live without it."""
    made = Repository(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    write(made.root, document([MENU, TREES | {"show_from": BEGINS, "show_until": ENDS}]))
    made.commit({})
    start_sandbox([live([MENU])])
    return made


def test_the_page_at_the_base_is_the_one_of_the_same_moment(repository: Repository, run_at: RunAt) -> None:
    offline = ("plan", "--base", "HEAD", "--offline", "--detailed-exitcode")
    assert [run_at(now, *offline).code for now in (EARLY, DURING, LATE)] == [0, 0, 0]
    assert run_at(EARLY, *offline, "--at", BEGINS).code == 0
    write(repository.root, document([MENU, TREES | {"show_from": BEGINS, "show_until": ENDS, "label": "Trees"}]))
    assert [run_at(now, *offline).code for now in (EARLY, DURING, LATE)] == [0, 2, 0]
    out = run_at(EARLY, *offline, "--at", BEGINS).out
    assert '    ~ link 2 label  "Christmas tree sale" → "Trees"\n' in out
    assert f"As of {BEGINS}: links as they show at that moment.\n" in out
    assert f'    {ENDS}  - "Trees"  pages/bakery.yaml\n' in out


def test_a_time_that_a_file_changes_is_the_files_change(repository: Repository, run_at: RunAt) -> None:
    write(repository.root, document([MENU, TREES | {"show_until": ENDS}]))
    made = json.loads(run_at(EARLY, "plan", "--base", "HEAD", "--format", "json").out)
    assert [(step["path"], step["origin"]) for step in made["changes"][0]["operations"]] == [
        ("/page_data/links/1", "yours")
    ]


def test_a_link_whose_time_came_after_the_last_apply_differs_live_and_not_in_the_files(
    repository: Repository, run_at: RunAt
) -> None:
    made = json.loads(run_at(DURING, "plan", "--base", "HEAD", "--format", "json").out)
    assert [step["origin"] for step in made["changes"][0]["operations"]] == ["drift"]
