"""Real people in a real Chromium, on a real server with the demo content."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, Request

from community.rooms.hours import Hours
from community.rooms.models import Room
from tests import live
from tests.live import TOP, Server, serving

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@dataclass(frozen=True)
class Community:
    """A served community with demo content."""

    server: Server
    folder: Path

    @property
    def url(self) -> str:
        return self.server.url

    def passwords(self) -> dict[str, str]:
        lines = (self.folder / "demo-signins.txt").read_text().splitlines()
        return dict(line.split(" ") for line in lines)  # type: ignore[misc]


@pytest.fixture(scope="session")
def community(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Community]:
    """One community for all journeys, filled and served as `make run` does; but its rooms are staffed around the clock: what a
    journey sees must not hang on the hour at which it is walked."""
    folder = tmp_path_factory.mktemp("demo")
    ran = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "demo"],
        cwd=TOP, env={**os.environ, "MODE": "demo", "DATA_DIR": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    engine = sa.create_engine(f"sqlite:///{folder / 'kith.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(sa.update(Room).values(hours=Hours()))
    engine.dispose()
    with serving(folder) as server:
        yield Community(server, folder)


@dataclass
class Visitor:
    """One person's browser. Everything it did against the rules is kept: foreign hosts, page errors, refused policies."""

    community: Community
    context: BrowserContext
    page: Page
    wrongs: list[str] = field(default_factory=list)

    def goes_to(self, path: str) -> Page:
        self.page.goto(self.community.url + path)
        return self.page

    def signs_in(self, name: str) -> Visitor:
        self.goes_to("/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(self.community.passwords()[name])
        self.page.locator("main").get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()
        return self

    def picture(self, path: Path) -> None:
        self.page.screenshot(path=path)


@pytest.fixture
def visit(community: Community) -> Iterator[Callable[..., Visitor]]:
    """`visit("Ana")` opens a browser of her own and signs her in; `visit()` is a stranger's."""
    opened: list[Visitor] = []

    def open_browser(name: str | None = None, *, phone: bool = False, javascript: bool = True, scheme: str = "light") -> Visitor:
        context = live.chromium().new_context(
            viewport=PHONE if phone else DESKTOP, java_script_enabled=javascript, color_scheme=scheme
        )  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        visitor = Visitor(community, context, context.new_page())
        _watch(visitor)
        opened.append(visitor)
        return visitor.signs_in(name) if name else visitor

    yield open_browser
    wrongs = [wrong for visitor in opened for wrong in visitor.wrongs]
    for visitor in opened:
        visitor.context.close()
    assert not wrongs, wrongs


def _watch(visitor: Visitor) -> None:
    def asked(request: Request) -> None:
        if not request.url.startswith((visitor.community.url, visitor.community.url.replace("http", "ws", 1), "data:", "about:")):
            visitor.wrongs.append(f"asked another host: {request.url}")

    visitor.page.on("request", asked)
    visitor.page.on("pageerror", lambda error: visitor.wrongs.append(f"script error: {error}"))
    visitor.page.on(
        "console", lambda message: visitor.wrongs.append(message.text) if "Content Security Policy" in message.text else None
    )
