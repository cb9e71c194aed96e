"""The admin's pages about people and house rules: for admins only, and every act is in the audit log."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts.actions import NewAccount, add_account
from community.accounts.models import HouseRule
from community.core import audit, db
from community.core.audit import AuditEntry
from tests.people import PASSWORD_HASH, Person, Stage


def acts(stage: Stage) -> list[tuple[str, str]]:
    rows = sa.select(AuditEntry.act, AuditEntry.subject).order_by(AuditEntry.id)
    return stage.ask(lambda: [(row.act, row.subject) for row in db.session().execute(rows)])


def rules(stage: Stage) -> list[str]:
    rows = sa.select(HouseRule.title).where(HouseRule.retired_at.is_(None)).order_by(HouseRule.position)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def test_a_role_is_changed_by_an_admin_and_written_down(stage: Stage, ida: Person, ana: Person) -> None:
    answer = ida.post(f"/admin/people/{ana.id}/role", role="moderator")
    assert answer.status_code == 303
    assert stage.ask(lambda: ana.account().role) == "moderator"
    assert ("account.role-set", f"account:{ana.id}") in acts(stage)
    assert stage.ask(lambda: list(audit.verify())) == []


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_nobody_but_an_admin_finds_these_pages(stage: Stage, ida: Person, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    for path in ("/admin/people", f"/admin/people/{ida.id}", "/admin/house-rules", "/admin/house-rules/1"):
        assert person.get(path).status_code == 404
    for path, fields in (
        (f"/admin/people/{person.id}/role", {"role": "admin"}), (f"/admin/people/{ida.id}/sign-out", {}), ("/admin/house-rules", {"title": "x", "text": "y"}),
        ("/admin/house-rules/1", {"title": "x", "text": "y"}), ("/admin/house-rules/1/retire", {}), ("/admin/house-rules/1/move", {"to": "up"}),
    ):  # fmt: skip
        assert person.post(path, **fields).status_code == 404, path
    assert stage.ask(lambda: person.account().role) != "admin"
    assert acts(stage) == []


def test_nobody_changes_their_own_role(stage: Stage, ida: Person) -> None:
    answer = ida.post(f"/admin/people/{ida.id}/role", role="member")
    assert answer.status_code == 403
    assert "Ask another admin" in answer.text
    assert stage.ask(lambda: ida.account().role) == "admin"


@pytest.mark.parametrize("role", ["", "owner", "<script>", "admin\x00"])
def test_a_role_that_does_not_exist_is_refused_in_a_sentence(stage: Stage, ida: Person, ana: Person, role: str) -> None:
    answer = ida.post(f"/admin/people/{ana.id}/role", role=role)
    assert answer.status_code == 422
    assert "A role is one of" in answer.text
    assert acts(stage) == []


def test_losing_the_role_closes_what_was_open(ida: Person, mia: Person) -> None:
    assert mia.get(f"/admin/people/{mia.id}").status_code == 404
    live = mia.live("/desk") if "/desk" in _namespaces() else None
    ida.post(f"/admin/people/{mia.id}/role", role="member")
    assert live is None or not live.is_connected("/desk")


def _namespaces() -> Any:
    from community.core.realtime import socketio

    return socketio.server.namespace_handlers


def test_an_admin_signs_somebody_out_everywhere(stage: Stage, ida: Person, ana: Person) -> None:
    live = ana.live("/")
    assert ana.get("/me").status_code == 200
    assert ida.post(f"/admin/people/{ana.id}/sign-out").status_code == 303
    assert ana.get("/me").status_code == 302
    assert not live.is_connected("/")
    assert ("account.signed-out", f"account:{ana.id}") in acts(stage)


def test_people_are_found_by_how_their_name_begins(ida: Person, ana: Person, ben: Person) -> None:
    page = ida.get("/admin/people?q=AN").text
    assert ">Ana</a>" in page
    assert ">Ben</a>" not in page
    assert "Nobody found" in ida.get("/admin/people?q=zz").text


@pytest.mark.parametrize("asked", ["%", "_", "'", "\x00", "a" * 10_000, "<script>alert(1)</script>"])
def test_odd_searches_find_nobody_or_everybody_and_never_fail(ida: Person, asked: str) -> None:
    answer = ida.client.get("/admin/people", query_string={"q": asked, "after": asked})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_the_list_goes_on_and_shows_everybody_once(stage: Stage, ida: Person) -> None:
    def many() -> None:
        for number in range(120):
            add_account(NewAccount(name=f"Somebody {number:03}", password_hash=PASSWORD_HASH, country="GB"))

    stage.do(many)
    seen: list[str] = []
    path = "/admin/people"
    while path:
        page = ida.get(path).text
        seen += re.findall(r'<a href="/admin/people/(\d+)">', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 121


def test_a_house_rule_is_added_at_the_end_and_holds_at_once(stage: Stage, ida: Person, ana: Person) -> None:
    ida.post("/admin/house-rules", title="No <b>selling</b>", text="Not here.")
    assert rules(stage) == ["Be kind", "Keep it safe", "No <b>selling</b>"]
    assert "No &lt;b&gt;selling&lt;/b&gt;" in ana.get("/house-rules").text
    assert acts(stage)[-1] == ("house-rule.added", "house-rule:3")


def test_two_rules_with_one_title_have_keys_of_their_own(stage: Stage, ida: Person) -> None:
    for _ in range(2):
        assert ida.post("/admin/house-rules", title="!!!", text="Meant well.").status_code == 303
    keys = stage.ask(lambda: list(db.session().scalars(sa.select(HouseRule.key))))
    assert len(set(keys)) == 4


def test_a_house_rule_is_edited_under_the_same_key(stage: Stage, ida: Person) -> None:
    ida.post("/admin/house-rules/1", title="Be very kind", text="Even more so.")
    row = stage.ask(lambda: db.session().get_one(HouseRule, 1))
    assert (row.key, row.title, row.text) == ("kind", "Be very kind", "Even more so.")
    assert acts(stage)[-1][0] == "house-rule.edited"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "", "text": "x"},
        {"title": "x", "text": " "},
        {"title": "x" * 121, "text": "x"},
        {"title": "x", "text": "x" * 2_001},
    ],
)
def test_a_house_rule_without_sense_is_refused_with_what_was_typed(stage: Stage, ida: Person, fields: dict[str, str]) -> None:
    for path in ("/admin/house-rules", "/admin/house-rules/1"):
        answer = ida.post(path, **fields)
        assert answer.status_code == 422
        assert fields["title"] in answer.text
        assert fields["text"] in answer.text
    assert rules(stage) == ["Be kind", "Keep it safe"]
    assert acts(stage) == []


def test_a_retired_rule_leaves_the_list_and_can_come_back(stage: Stage, ida: Person, ana: Person) -> None:
    ida.post("/admin/house-rules/1/retire")
    assert rules(stage) == ["Keep it safe"]
    assert "Be kind" not in ana.get("/house-rules").text
    ida.post("/admin/house-rules/1/bring-back")
    assert sorted(rules(stage)) == ["Be kind", "Keep it safe"]
    assert [act for act, _ in acts(stage)] == ["house-rule.retired", "house-rule.brought-back"]


def test_the_last_house_rule_stays(stage: Stage, ida: Person) -> None:
    ida.post("/admin/house-rules/1/retire")
    answer = ida.post("/admin/house-rules/2/retire")
    assert answer.status_code == 403
    assert rules(stage) == ["Keep it safe"]


def test_house_rules_change_places(stage: Stage, ida: Person) -> None:
    ida.post("/admin/house-rules/2/move", to="up")
    assert rules(stage) == ["Keep it safe", "Be kind"]
    ida.post("/admin/house-rules/2/move", to="up")
    assert rules(stage) == ["Keep it safe", "Be kind"]
    ida.post("/admin/house-rules/2/move", to="down")
    assert rules(stage) == ["Be kind", "Keep it safe"]
