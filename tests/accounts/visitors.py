"""Somebody at a browser who has not signed in: fills in forms as they stand on the page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from tests.people import PASSWORD, Stage

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    def __init__(self, stage: Stage) -> None:
        self.client = stage.app.test_client()

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def fill(self, path: str, **fields: str) -> Any:
        """Open the page at `path` and send its form."""
        page = self.client.get(path)
        found = TOKEN.search(page.text)
        assert found, f"no form at {path} ({page.status_code})"
        return self.client.post(path, data={"csrf_token": found[1], **fields})

    def signs_up(self, name: str, **more: str) -> Any:
        fields = {"name": name, "password": PASSWORD, "country": "GB", "email": "", "agree": "1", **more}
        return self.fill("/sign-up", **{key: value for key, value in fields.items() if value != "-"})

    def signs_in(self, name: str, password: str = PASSWORD, path: str = "/sign-in") -> Any:
        return self.fill(path, name=name, password=password)

    @property
    def cookie(self) -> str:
        found = self.client.get_cookie("kith")
        return found.value if found else ""

    def is_signed_in(self) -> bool:
        return bool(self.client.get("/me").status_code == 200)


def words(answer: Any) -> str:
    """The page as a reader sees it, without tags."""
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))
