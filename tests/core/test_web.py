"""Every answer is protected, every address checked, every refusal a sentence."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from community import create_app
from community.core.web import asset, local_path
from config import Config
from tests.people import Person, Stage

HERE = "http://kith.example"
HARD = [
    "",
    "/",
    "//evil",
    "/\\evil",
    "\\/evil",
    "/\tevil",
    "///evil",
    "http:evil",
    "javascript:alert(1)",
    "/ok?next=//x",
    "\x00",
    "/a\nb",
    " //evil",
    "/%5cevil",
    "/;@evil",
]


@given(st.one_of(st.sampled_from(HARD), st.text(max_size=40), st.text("/\\:.@?#ab\t\n ", max_size=12).map("/".__add__)))
@example("/\\evil.example")
@example("//evil.example")
@example("/\t/evil.example")
def test_going_on_never_leaves_the_site(target: str) -> None:
    """A browser drops tabs and line ends and reads a backslash as a slash before it follows an address."""
    path = local_path(target, "/home")
    read = path.strip().replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
    assert urlsplit(urljoin(HERE + "/sign-in", read)).netloc == "kith.example"
    assert urlsplit(urljoin(HERE + "/sign-in", read)).scheme == "http"


@pytest.mark.parametrize("target", ["/topics/7?at=3#post-9", "/", "/search?q=a%20b"])
def test_an_address_of_ours_is_followed(target: str) -> None:
    assert local_path(target, "/home") == target
    assert local_path(None, "/home") == "/home"


PROTECTED = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/healthz", 200), ("/static/css/kith.css", 200), ("/static/js/core.page.mjs", 200), ("/static/none.css", 404), ("/nowhere", 404),
     ("/notifications", 302), ("/socket.io/?EIO=4&transport=polling", 400)],
)  # fmt: skip
def test_every_answer_carries_the_headers(stage: Stage, path: str, status: int) -> None:
    answer = stage.app.test_client().get(path)
    assert answer.status_code == status
    for name in PROTECTED:
        assert name in answer.headers, name
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_a_failed_page_carries_the_headers_and_no_traceback(stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("community.forum.queries.topics_of", fail)
    answer = ana.get(f"/rooms/{stage.low_days}/topics")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_pages_of_people_are_not_kept_by_caches(stage: Stage, ana: Person) -> None:
    assert ana.get(f"/rooms/{stage.low_days}/topics").headers["Cache-Control"] == "no-store"


def served(config: Config, **settings: Any) -> Any:
    app = create_app(config.model_copy(update={"mode": "demo", **settings}))
    return app.test_client()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:8000.evil.example", "127.0.0.1", "localhost:80", "", "127.0.0.1:8000@evil"]
)
def test_an_unknown_host_is_turned_away(config: Config, stage: Stage, host: str) -> None:
    answer = served(config).get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert b"does not know that address" in answer.data
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000"])
def test_a_known_host_is_served(config: Config, stage: Stage, host: str) -> None:
    assert served(config).get("/", headers={"Host": host}).status_code == 200


def test_probes_need_no_known_host(config: Config, stage: Stage) -> None:
    assert served(config).get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


def test_a_forwarded_host_is_not_believed(config: Config, stage: Stage) -> None:
    answer = served(config, trusted_proxies=1).get(
        "/notifications", headers={"Host": "127.0.0.1:8000", "X-Forwarded-Host": "evil.example"}
    )
    assert "evil" not in answer.headers["Location"]


def test_a_page_for_members_sends_strangers_to_sign_in_and_back(stage: Stage) -> None:
    answer = stage.app.test_client().get(f"/rooms/{stage.low_days}/topics?before=1-1")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=")
    assert "before" in answer.headers["Location"]


def test_a_form_without_its_token_is_refused_and_shown_again(stage: Stage, ana: Person) -> None:
    answer = ana.client.post(f"/rooms/{stage.low_days}/join")
    assert answer.status_code == 400
    assert "could not be sure it was you" in answer.text


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_a_wrong_method_is_a_sentence(stage: Stage, ana: Person, method: str) -> None:
    answer = getattr(ana.client, method)(f"/rooms/{stage.low_days}", data={"csrf_token": ana.csrf()})
    assert answer.status_code == 405
    assert "use the buttons on the page" in answer.text


def test_the_address_of_a_static_file_changes_with_its_content(app: Flask) -> None:
    with app.app_context():
        assert asset("css/kith.css") != asset("js/core.page.mjs")
        assert "v=" in asset("css/kith.css") or "/" in asset("css/kith.css")


def test_passwords_are_never_shown_again(stage: Stage) -> None:
    answer = stage.app.test_client().post(
        "/sign-up", data={"name": "X", "password": "my secret password", "new_password": "other secret"}
    )
    assert answer.status_code == 400
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "http://127.0.0.1:9"}]
)
def test_a_form_of_another_site_changes_nothing_and_signs_nobody_out(
    config: Config, stage: Stage, headers: dict[str, str]
) -> None:
    answer = served(config).post("/theme", headers={"Host": "127.0.0.1:8000", **headers}, data={"theme": "dark"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert b"sent by another site" in answer.data


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}, {}]
)
def test_a_form_of_ours_reaches_its_door(config: Config, stage: Stage, headers: dict[str, str]) -> None:
    answer = served(config).post("/theme", headers={"Host": "127.0.0.1:8000", **headers}, data={"theme": "dark"})
    assert answer.status_code == 400  # the door asks for the token
    assert b"Send it once more" in answer.data


def test_a_header_cannot_lead_the_links_of_a_page_elsewhere(config: Config, stage: Stage) -> None:
    answer = served(config).get("/about", headers={"Host": "127.0.0.1:8000"}, environ_overrides={"SCRIPT_NAME": "//evil.example"})
    assert answer.status_code == 200
    assert b"evil" not in answer.data


@pytest.mark.parametrize("path", ["/sign-in", "/theme", "/nowhere"])
def test_a_form_of_very_many_fields_is_not_read_and_not_echoed(stage: Stage, path: str) -> None:
    answer = stage.app.test_client().post(path, data={f"k{number}": "v" for number in range(5_000)})
    assert answer.status_code == 413
    assert len(answer.data) < 20_000


def test_a_wrong_method_names_the_right_ones(stage: Stage, ana: Person) -> None:
    assert "POST" in ana.get("/sign-out").headers["Allow"]


def test_an_address_with_a_nul_leads_nowhere(stage: Stage, ida: Person) -> None:
    assert ida.get("/admin/lexicon/rules/a%00b").status_code == 404
