"""The page in a real browser: dragged, typed, drawn on, on a phone, and with the service gone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from serving.in_process import listening
from serving.look_bench import app_with_page

from vaekit.serving.keys import new_key

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(app_with_page(tmp_path_factory.mktemp("page"))) as found:
        yield f"http://{found}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that complains of nothing."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", hear)
    yield opened
    opened.close()
    assert not [said for said in complaints if "Failed to load resource" not in said]


def changed(page: Page, what: str, before: str | None) -> str:
    """The source of a picture, once it is another one."""
    page.wait_for_function(
        "([what, before]) => { const s = document.querySelector(what)?.src;"
        " return s && s !== before; }",
        arg=[what, before],
    )
    return page.locator(what).get_attribute("src") or ""


def test_the_overview_lives(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Samples").wait_for()
    page.wait_for_function("document.querySelector('#traffic').dataset.seen = '1'")
    with page.expect_response("**/look/pages/traffic"):
        pass
    assert "answers" in page.locator("#traffic").inner_text()


def test_samples_change_with_the_seed(page: Page, address: str) -> None:
    page.goto(f"{address}/look/toy/gallery")
    first = changed(page, "#samples img", None)
    page.get_by_role("button", name="Other samples").click()
    second = changed(page, "#samples img", first)
    page.get_by_label("Seed").fill("0")
    page.get_by_label("Seed").press("Enter")
    third = changed(page, "#samples img", second)
    assert third == first


def test_a_point_is_dragged_and_decoded(page: Page, address: str) -> None:
    page.goto(f"{address}/look/toy/explore")
    before = changed(page, "#decoded", None)
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=8)
    page.mouse.up()
    dragged, place = changed(page, "#decoded", before), page.locator("#place").inner_text()
    page.locator("#map").press("Shift+ArrowLeft")
    pressed = changed(page, "#decoded", dragged)
    assert page.locator("#place").inner_text() != place
    page.locator("#sliders input").first.press("ArrowRight")
    slid = changed(page, "#decoded", pressed)
    page.locator("#to label").nth(7).click()
    walked = changed(page, "#decoded", slid)
    page.locator("#way").press("ArrowLeft")
    changed(page, "#decoded", walked)


def test_a_drawing_is_judged(page: Page, address: str) -> None:
    page.goto(f"{address}/look/toy/draw")
    page.locator("#paper").wait_for()
    box = page.locator("#paper").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=6)
    page.mouse.up()
    changed(page, "#reconstruction", None)
    assert "held-out examples" in page.locator("#verdict").inner_text()
    page.get_by_role("button", name="Clear").click()
    assert "Nothing is drawn" in page.locator("#verdict").inner_text()
    page.locator("#paper").focus()
    for key in (" ", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    changed(page, "#reconstruction", None)


@pytest.mark.parametrize(
    "view", ["", "docs", "look/toy/gallery", "look/toy/explore", "look/toy/draw"]
)
def test_a_phone_needs_no_sideways_scrolling(view: str, page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/{view}")
    page.locator("#main h1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_key_is_asked_for_and_used(page: Page, tmp_path: Path) -> None:
    secret, key = new_key("me", ["infer"])
    with listening(app_with_page(tmp_path, keys=[key])) as found:
        page.goto(f"http://{found}/look/toy/gallery")
        page.get_by_label("This service asks for a key.").fill(secret)
        page.keyboard.press("Enter")
        changed(page, "#samples img", None)
        assert not page.locator("#key").is_visible()


def test_a_service_that_is_gone_is_said_so(page: Page, tmp_path: Path) -> None:
    with listening(app_with_page(tmp_path)) as found:
        page.goto(f"http://{found}/look/toy/explore")
        changed(page, "#decoded", None)
    page.locator("#map").press("ArrowUp")
    page.get_by_text("The service does not answer").wait_for()
