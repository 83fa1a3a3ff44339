"""The HTML report in a real Chromium: quiet, safe, side by side, and of use to everybody."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from bio_sync.planning import Plan
from bio_sync.render.html import render
from tests import browser
from tests.browser import Visit, served, violations, visit
from tests.test_render_html import SHOP, TOUR, long_plan, naughty_page, naughty_plan, offline_plan, plan_with_base
from tests.test_render_text import content, example_plan, plan_of

WIDTHS = (360, 390, 768, 1280)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
ADDED, REMOVED, CHANGED, MOVED = "rgb(11, 107, 46)", "rgb(179, 38, 30)", "rgb(122, 77, 0)", "rgb(11, 87, 164)"


def nothing_to_change() -> Plan:
    page = content("Same", True)
    return plan_of([(page, page)])


def pages_with_little() -> Plan:
    """Make a plan of pages without links, without a title, with a title of emoji or 200 letters, with odd links."""
    pairs = [
        (content("", False), content("\N{PARTY POPPER}", True)),
        (content("A long title " * 16, True, links=[]), content("Short", False, links=[1, "two", [3], {}])),
        (content("W" * 200, True, theme="neon", links={"a": 1}), content("W", True, "one\ntwo")),
    ]
    return plan_of(pairs)


PLANS: dict[str, Callable[[], Plan]] = {
    "the example": example_plan,
    "with a base": plan_with_base,
    "offline": offline_plan,
    "naughty": naughty_plan,
    "a little naughty": lambda: naughty_plan(["</style><b>", "שלום", "x" * 2_000]),
    "little": pages_with_little,
    "nothing": nothing_to_change,
    "folded": lambda: long_plan(40, changed=30),
}
SOURCES: dict[str, str] = {}


def source_of(name: str) -> str:
    if name not in SOURCES:
        SOURCES[name] = render(PLANS[name]())
    return SOURCES[name]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as running:
        yield running


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], str]:
    """Write a document to a file, and give the file's address."""

    def write(source: str) -> str:
        path = tmp_path / "report.html"
        path.write_text(source, encoding="utf-8")
        return path.as_uri()

    return write


Written = Callable[[str], str]


@pytest.mark.parametrize("name", PLANS)
def test_a_report_that_is_a_file_says_nothing_and_asks_for_nothing(
    name: str, chromium: Browser, written: Written
) -> None:
    address = written(source_of(name))
    with visit(chromium, address) as visited:
        assert visited.page.title().startswith("bio-sync plan: ")
        assert (visited.said, visited.asked) == ([], [address])


@pytest.mark.parametrize("name", ["with a base", "naughty"])
def test_a_report_on_a_server_costs_exactly_one_request(name: str, chromium: Browser) -> None:
    with served(source_of(name)) as site, visit(chromium, f"{site.address}/plan.html") as visited:
        visited.page.mouse.wheel(0, 5_000)
        visited.page.wait_for_timeout(100)
        assert (visited.said, visited.asked) == ([], [f"{site.address}/plan.html"])
        assert site.requests == ["/plan.html"]


def test_naughty_texts_are_seen_as_they_are(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("naughty"))) as visited:
        assert visited.evaluate("document.scripts.length + document.images.length + document.forms.length") == 0
        assert visited.evaluate("[...document.querySelectorAll('style')].length") == 1
        assert visited.evaluate("getComputedStyle(document.body).display") == "block"
        links = visited.evaluate("[...document.links].map(link => link.getAttribute('href'))")
        assert all(link.startswith("#page-") for link in links)
        text = visited.page.inner_text("main")
        assert "</style><style>*{display:none}</style>" in text
        assert "]]><!--<script>document.title='scripted'</script>" in text


# What somebody may put into a copy of the report, each with a way to tell that it works: by what it did, or asked for.
INJECTED = {
    "a style attribute": '<p class="probe" id="attribute" style="position:fixed">x</p>',
    "a style": '<style>#style{position:fixed}</style><p class="probe" id="style">x</p>',
    "a script": '<p class="probe" id="script">x</p><script>script.style.position="fixed"</script>',
    "an event": '<p class="probe" id="event_">x</p><img src="data:," onerror="event_.style.position=\'fixed\'">',
    "a style sheet": '<link rel="stylesheet" href="/sheet.css">',
    "a script of another file": '<script src="/script.js"></script>',
    "a picture": '<img src="/picture.png">',
    "a frame": '<iframe src="/frame.html"></iframe>',
    "an object": '<object data="/object.html" type="text/html"></object>',
    "a video": '<video src="/video.mp4" preload="auto"></video>',
}
DID = {"attribute", "style", "script", "event_"}
ASKED = {"/sheet.css", "/script.js", "/picture.png", "/frame.html", "/object.html", "/video.mp4"}


@pytest.mark.parametrize("policy", [True, False])
def test_what_somebody_puts_into_the_report_works_without_the_policy_only(policy: bool, chromium: Browser) -> None:
    source = source_of("offline").replace("</main>", f"{''.join(INJECTED.values())}</main>")
    with served(source) as site, visit(chromium, site.address, bypass_csp=not policy) as visited:
        if not policy:
            assert becomes(visited.page, lambda: {*site.requests} >= ASKED)
        fixed = "all => all.filter(one => getComputedStyle(one).position == 'fixed').map(one => one.id)"
        did = visited.page.eval_on_selector_all(".probe", fixed)
        stopped = [said for said in visited.said if "Content Security Policy" in said]
        if policy:
            assert (did, site.requests, len(stopped)) == ([], ["/"], len(INJECTED))
        else:
            assert ({*did}, {*site.requests}, stopped) == (DID, {"/", *ASKED}, [])


def test_a_style_that_was_tampered_with_does_not_apply(chromium: Browser, written: Written) -> None:
    source = source_of("offline").replace("<style>", "<style>\n/* */")
    with visit(chromium, written(source)) as visited:
        assert visited.evaluate("getComputedStyle(document.querySelector('.phone')).borderTopWidth") == "0px"
        assert "style-src" in visited.said[0]


@pytest.mark.parametrize("policy", [True, False])
def test_a_form_that_somebody_puts_into_the_report_is_sent_without_the_policy_only(
    policy: bool, chromium: Browser
) -> None:
    form = '<form action="/sent"><button>x</button></form>'
    with served(source_of("offline").replace("</main>", f"{form}</main>")) as site:
        with visit(chromium, site.address, bypass_csp=not policy) as visited:
            visited.evaluate("document.querySelector('button').click()")
            assert becomes(visited.page, lambda: len(visited.said) + len(site.requests) > 1)
            assert any("form-action" in said for said in visited.said) == policy
        assert site.requests == (["/"] if policy else ["/", "/sent?"])


def test_without_scripts_the_report_is_the_same(chromium: Browser, written: Written) -> None:
    address = written(source_of("with a base"))
    seen = []
    for enabled in (True, False):
        with visit(chromium, address, java_script_enabled=enabled) as visited:
            seen.append((visited.page.screenshot(full_page=True), visited.page.locator("body").aria_snapshot()))
    assert seen[0] == seen[1]


OVERFLOWING = """() => [document.documentElement, ...document.querySelectorAll('.phone')]
    .filter(element => element.scrollWidth > element.clientWidth).map(element => element.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_wider_than_the_screen(name: str, chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of(name))) as visited:
        for width in WIDTHS:
            visited.page.set_viewport_size({"width": width, "height": 800})
            assert visited.evaluate("innerWidth") == width
            for scheme in SCHEMES:
                visited.page.emulate_media(color_scheme=scheme)
                assert visited.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("name", ["with a base", "naughty"])
def test_letters_of_twice_the_size_and_twice_the_zoom_fit_too(name: str, chromium: Browser, written: Written) -> None:
    address = written(source_of(name))
    with visit(chromium, address, width=640, device_scale_factor=2) as visited:
        assert visited.evaluate(OVERFLOWING) == []
    with visit(chromium, address, bypass_csp=True) as visited:
        visited.page.add_style_tag(content="html{font-size:200%}")
        assert visited.evaluate("getComputedStyle(document.querySelector('.phone .title')).fontSize") == "48px"
        for width in (360, 1280):
            visited.page.set_viewport_size({"width": width, "height": 800})
            assert visited.evaluate(OVERFLOWING) == []


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.eval_on_selector_all(
        selector, "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    return found


@pytest.mark.parametrize("width", [768, 860, 1280])
def test_the_two_frames_of_a_page_stand_side_by_side_and_are_alike(
    width: int, chromium: Browser, written: Written
) -> None:
    with visit(chromium, written(source_of("with a base")), width=width) as visited:
        frames = boxes(visited.page, ".phone")
        assert len(frames) == 6
        for live, proposed in zip(frames[::2], frames[1::2], strict=True):
            assert (live["top"], live["height"], live["width"]) == (
                proposed["top"],
                proposed["height"],
                proposed["width"],
            )
            assert live["right"] < proposed["left"]
            assert 300 <= live["width"] <= 400


def test_on_a_telephone_the_two_frames_stand_one_under_the_other(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("with a base")), width=360) as visited:
        frames = boxes(visited.page, ".phone")
        for live, proposed in zip(frames[::2], frames[1::2], strict=True):
            assert live["left"] == proposed["left"]
            assert live["bottom"] < proposed["top"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_frame_follows_the_theme_of_its_page_and_not_that_of_the_report(
    scheme: Scheme, chromium: Browser, written: Written
) -> None:
    pairs = [
        (content("T", True, theme="dark"), content("T", True, theme="light")),
        (content("U", True), content("V", True)),
    ]
    with visit(chromium, written(render(plan_of(pairs))), color_scheme=scheme) as visited:
        found = visited.page.eval_on_selector_all(
            ".phone", "all => all.map(one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color])"
        )
        dark, light = ["rgb(23, 24, 26)", "rgb(241, 240, 238)"], ["rgb(246, 245, 243)", "rgb(29, 30, 32)"]
        own = {"light": light, "dark": dark}[scheme]
        assert found == [dark, light, own, own]
        ground = visited.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 23, 26)"}[scheme]


def outline(visited: Visit, kind: str) -> list[str]:
    style = visited.page.locator(f".phone li.{kind}").first.evaluate(
        "one => [getComputedStyle(one).borderTopColor, getComputedStyle(one).borderTopStyle,"
        " getComputedStyle(one).borderTopWidth]"
    )
    return [str(part) for part in style]


def test_changed_links_are_outlined_each_kind_in_its_own_way_and_say_it(chromium: Browser, written: Written) -> None:
    a, b, c, d, e = ({"label": name, "url": f"https://{name}.example"} for name in "abcde")
    before = content("T", True, theme="light", links=[a, b, c, d])
    after = content("T", True, theme="light", links=[d, a, e, c | {"url": "https://new.example"}])
    with visit(chromium, written(render(plan_of([(before, after)])))) as visited:
        live, proposed = (visited.page.locator(".phone .links").nth(number).inner_text() for number in (0, 1))
        assert live.split("\n") == ["a", "b", "removed", "c", "address changed", "d", "moves to 1"]
        assert proposed.split("\n") == ["d", "moved from 4", "a", "e", "new", "c", "address changed"]
        assert outline(visited, "added") == [ADDED, "solid", "2px"]
        assert outline(visited, "removed") == [REMOVED, "dashed", "2px"]
        assert outline(visited, "changed") == [CHANGED, "solid", "2px"]
        assert outline(visited, "moved") == [MOVED, "solid", "2px"]
        plain = visited.page.locator(".phone li:not([class])")
        assert plain.all_inner_texts() == ["a", "a"]
        assert plain.first.evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
        assert visited.page.locator("li.removed .label").evaluate(
            "one => getComputedStyle(one).textDecorationLine"
        ) == ("line-through")


def test_in_forced_colours_the_marks_are_still_there(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("with a base")), forced_colors="active") as visited:
        assert outline(visited, "removed")[1:] == ["dashed", "2px"]
        assert outline(visited, "changed")[1:] == ["solid", "2px"]
        assert "moved from 4" in visited.page.locator(".phone").nth(1).inner_text()


FOCUSED = """() => {
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.tagName, document.activeElement.className || document.activeElement.hash || '',
            style.outlineStyle, parseFloat(style.outlineWidth), style.outlineColor];
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_keyboard_reaches_the_list_of_pages_and_every_frame_and_shows_where_it_is(
    scheme: Scheme, chromium: Browser, written: Written
) -> None:
    with visit(chromium, written(source_of("with a base")), color_scheme=scheme) as visited:
        stops = []
        for _ in range(9):
            visited.page.keyboard.press("Tab")
            stops.append(visited.evaluate(FOCUSED))
        assert [stop[:2] for stop in stops[:3]] == [["A", "#page-1"], ["A", "#page-2"], ["A", "#page-3"]]
        assert [stop[0] for stop in stops[3:]] == ["DIV"] * 6
        # At least 3:1 on the ground of both schemes.
        assert {tuple(stop[2:]) for stop in stops} == {("solid", 3, "rgb(60, 127, 224)")}


def test_a_frame_with_many_links_scrolls_by_keyboard(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(render(long_plan(300)))) as visited:
        visited.page.keyboard.press("Tab")
        below = """() => {
            const last = document.activeElement.querySelector('li:last-child').getBoundingClientRect();
            return last.bottom - document.activeElement.getBoundingClientRect().bottom;
        }"""
        assert visited.evaluate(below) > 10_000
        assert boxes(visited.page, ".phone")[0]["height"] < 800
        visited.page.keyboard.press("End")
        assert becomes(visited.page, lambda: bool(visited.evaluate(below) < 0))


def becomes(page: Page, condition: Callable[[], bool]) -> bool:
    """Wait until something is so; the page's own events are heard meanwhile."""
    deadline = time.monotonic() + 10
    while not (came := condition()) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return came


def test_folded_links_open_by_keyboard(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("folded"))) as visited:
        hidden = visited.page.get_by_text("Link 12", exact=True).first
        change = visited.page.locator(".phone li.changed").first
        frame = visited.page.locator(".phone").first
        assert not hidden.is_visible()
        bottom = [one.evaluate("one => one.getBoundingClientRect().bottom") for one in (change, frame)]
        assert bottom[0] < bottom[1], "the change is seen without scrolling"
        visited.page.keyboard.press("Tab")
        visited.page.keyboard.press("Tab")
        assert visited.evaluate("document.activeElement.innerText") == "25 links, unchanged"
        visited.page.keyboard.press("Enter")
        assert hidden.is_visible()


def test_the_list_of_pages_leads_to_each_page(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("with a base"))) as visited:
        for number in (3, 1, 2):
            visited.page.locator(f"nav a >> nth={number - 1}").press("Enter")
            top = visited.page.locator(f"#page-{number}").evaluate("one => one.getBoundingClientRect().top")
            assert 0 <= top < 40
            assert visited.page.url.endswith(f"#page-{number}")


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("the example", "light", 1280),
        ("with a base", "light", 360),
        ("with a base", "dark", 1280),
        ("offline", "dark", 360),
        ("a little naughty", "light", 1280),
        ("a little naughty", "dark", 360),
        ("little", "light", 360),
        ("nothing", "dark", 1280),
        ("folded", "light", 1280),
    ],
)
def test_axe_finds_nothing_that_hinders_anybody(
    name: str, scheme: Scheme, width: int, chromium: Browser, written: Written
) -> None:
    with visit(chromium, written(source_of(name)), width=width, color_scheme=scheme) as visited:
        assert violations(visited) == []


def test_axe_would_find_it(chromium: Browser, written: Written) -> None:
    source = source_of("with a base").replace('lang="en"', "").replace("<h3>", "<h5>").replace("</h3>", "</h5>")
    with visit(chromium, written(source), bypass_csp=True) as visited:
        visited.page.add_style_tag(content=".quiet{color:#ccc}")
        assert {found.partition(":")[0] for found in violations(visited)} == {
            "color-contrast",
            "heading-order",
            "html-has-lang",
        }


def test_the_document_has_landmarks_and_headings_that_name_its_parts(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("with a base"))) as visited:
        page = visited.page
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.title() == "bio-sync plan: 3 pages to change (3 to update, 1 to publish, 1 to unpublish)."
        for role, name in (("navigation", "Changed pages"), ("region", "Warnings"), ("region", "New destinations")):
            assert page.get_by_role(role, name=name).count() == 1  # type: ignore[arg-type]
        assert [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
        assert page.get_by_role("article", name="Acme Inc").count() == 1
        assert page.get_by_role("group", name="Live now theme: dark").count() == 1
        assert page.get_by_role("group", name="After apply theme: light").count() == 1
        headings = page.get_by_role("heading").evaluate_all("all => all.map(one => one.tagName + ' ' + one.innerText)")
        assert headings[:6] == [
            "H1 bio-sync plan", "H2 Warnings", "H2 New destinations", "H2 Changed pages", "H2 Acme Inc",
            "H3 Conflicts file and live page both changed since origin/main; apply overwrites what is live",
        ]  # fmt: skip


def test_conflicts_and_drift_are_words_in_the_list_of_pages(chromium: Browser, written: Written) -> None:
    with visit(chromium, written(source_of("with a base"))) as visited:
        entries = visited.page.locator("nav li").all_inner_texts()
        assert "Conflicts" in entries[0]
        assert "Drift" in entries[1]
        assert not {"Conflicts", "Drift"} & {*entries[2].split()}


def test_right_to_left_texts_run_right_to_left_and_stay_where_they_are(chromium: Browser, written: Written) -> None:
    before = content("שלום", True, "עולם", links=[SHOP])
    after = content("שלום!", True, "עולם", links=[SHOP, TOUR | {"label": "סיור"}])
    with visit(chromium, written(render(plan_of([(before, after)])))) as visited:
        for selector in ("article h2 bdi", ".phone .title p", ".phone .description p", "li.added .label", ".add ins"):
            direction = visited.page.locator(selector).first.evaluate("one => getComputedStyle(one).direction")
            assert direction == "rtl", selector
        title, body = boxes(visited.page, "article h2 bdi")[0], boxes(visited.page, "article h2")[0]
        assert title["left"] == body["left"]


def test_a_print_hides_nothing(chromium: Browser, written: Written) -> None:
    for source in (source_of("folded"), render(long_plan(60))):
        with visit(chromium, written(source)) as visited:
            visited.page.emulate_media(media="print")
            assert visited.evaluate(
                "[...document.querySelectorAll('.phone')].every(one => one.scrollHeight <= one.clientHeight)"
            )
            labels = visited.page.locator(".phone .label")
            assert labels.count() in {80, 120}
            assert all(box["height"] > 10 for box in boxes(visited.page, ".phone .label"))
            assert labels.evaluate_all("all => all.every(one => one.checkVisibility({contentVisibilityAuto: true}))")


def test_two_hundred_changed_pages_are_open_in_a_moment_and_each_is_a_step_away(
    chromium: Browser, written: Written
) -> None:
    pairs = [(naughty_page(f"Page {n}"), naughty_page(f"Page {n}", " new")) for n in range(200)]
    source = render(plan_of(pairs))
    assert len(source) < 1_500_000
    address = written(source)
    started = time.monotonic()
    with visit(chromium, address) as visited:
        assert visited.page.locator(".phone").count() == 400
        visited.page.click("nav li:last-child a")
        assert 0 <= visited.page.locator("#page-200").evaluate("one => one.getBoundingClientRect().top") < 40
    assert time.monotonic() - started < 15


def test_a_browser_that_is_not_there_is_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match="chromium is not installed"), browser.chromium():
        pass
