"""The live page in a real Chromium: nothing lost, doubled or moved under the reader's eyes, on either road.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from community import create_app
from community.accounts import actions as accounts
from community.accounts import blocking
from community.chat import reading
from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.lexicon import actions as lexicon
from community.rooms import actions as rooms
from community.rooms.actions import add_member
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.safety import Rule
from community.safety.folding import fold_char
from community.safety.muting import mute_key
from config import Config
from docs.make_fold import table
from tests import live
from tests.people import WORRYING, Person, Stage
from tests.safety.muting_cases import CASES

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("chat-screens")]
SOCKET = re.compile("/socket.io/")
SENT = re.compile("^Sent$")
Screens = Callable[..., Page]


class House:
    """A served community on SQLite, arranged through `stage`."""

    def __init__(self, stage: Stage, server: live.Server) -> None:
        self.stage, self.server = stage, server
        self.ana, self.ben = stage.person("Ana", rooms=True), stage.person("Ben", rooms=True)

    def room(self, mode: str = "publish") -> int:
        """A room of its own for a test; Ana and Ben are in it."""
        return self.stage.do(lambda: self._room(mode))

    def _room(self, mode: str) -> int:
        from community.rooms.actions import add_member

        room = Room(slug=f"r{now().timestamp()}", name="Kitchen", mode=mode, created_at=now())
        db.session().add(room)
        db.session().flush()
        for person in (self.ana, self.ben):
            add_member(room, person.id)
        return room.id

    def stored(self, room: int) -> list[str]:
        rows = sa.select(Message.body).where(Message.room_id == room).order_by(Message.seq)
        return self.stage.ask(lambda: list(db.session().scalars(rows)))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with live.serving(folder, WRITE_LIMIT="100000 per minute") as server:
        url = f"sqlite:///{folder / 'kith.sqlite3'}"
        app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside", fanout="stock"))
        yield House(Stage(app), server)
        app.extensions["kith_engine"].dispose()
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def screens(house: House) -> Iterator[Screens]:
    """`screens(person, room)` opens the chat in a browser of that person's own."""
    contexts: list[Any] = []
    wrongs: list[str] = []

    def opened(person: Person, room: int, *, before: Callable[[Page], None] | None = None, phone: bool = False) -> Page:
        size = {"width": 360, "height": 740} if phone else {"width": 1280, "height": 800}
        context = live.chromium().new_context(viewport=size)
        contexts.append(context)
        context.set_default_timeout(10_000)
        person.client  # noqa: B018  (signs in)
        context.add_cookies([{"name": "kith", "value": person.client.get_cookie("kith").value, "url": house.server.url}])
        page: Page = context.new_page()
        page.on("pageerror", lambda error: wrongs.append(str(error)))
        page.on("console", lambda said: wrongs.append(said.text) if "Content Security" in said.text else None)
        if before:
            before(page)
        page.goto(f"{house.server.url}/rooms/{room}/chat")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrongs, wrongs


def says(page: Page, words: str) -> None:
    page.get_by_label("Message").fill(words)
    page.get_by_role("button", name="Send").click()


def words(page: Page) -> list[str]:
    return page.locator(".bubble").all_text_contents()


def wait_for_words(page: Page, expected: list[str], seconds: float = 8) -> None:
    expect(page.locator(".bubble")).to_have_text(expected, timeout=seconds * 1000)


def no_socket(page: Page) -> None:
    page.route_web_socket(SOCKET, lambda wire: wire.close())


def test_two_people_talk_without_reloading(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room, phone=True)
    expect(ana.locator(".nothing-yet")).to_be_visible()
    says(ana, "Hello, Ben.")
    expect(ben.locator(".bubble", has_text="Hello, Ben.")).to_be_visible()
    says(ben, "Hello, Ana.")
    for page in (ana, ben):
        wait_for_words(page, ["Hello, Ben.", "Hello, Ana."])
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    assert ana.evaluate("document.activeElement.name || document.activeElement.className") != "jump"


def test_worrying_words_bring_a_private_card_beside_them_and_no_focus_moves(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    ana.get_by_label("Message").fill(WORRYING)
    ana.keyboard.press("Enter")
    expect(ana.locator(".card-slot .support")).to_be_visible()
    assert ana.evaluate("document.activeElement.name") == "body"
    assert (
        ana.evaluate("document.querySelector('.card-slot').previousElementSibling.querySelector('.bubble').textContent")
        == WORRYING
    )
    expect(ana.locator("#said")).to_contain_text("private note")
    wait_for_words(ben, [WORRYING])
    assert ben.locator(".support").count() == 0
    ana.locator(".card-slot .btn-quiet").click()
    expect(ana.locator(".support")).to_have_count(0)


def test_asking_for_a_moderator_stays_in_the_chat(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, WORRYING)
    where = ana.url
    ana.get_by_role("button", name="Talk to a moderator").click()
    expect(ana.locator("[data-asked]")).to_contain_text("was passed on at")
    expect(ana.locator("[data-asked]")).to_be_focused()
    assert ana.url == where
    expect(ana.get_by_role("button", name="Talk to a moderator")).to_have_count(0)
    assert [case.severity for case in house.stage.cases() if case.room_id == room] == ["red"]
    ana.locator(".card-slot .btn-quiet").click()
    expect(ana.locator(".support")).to_have_count(0)


def test_held_words_wait_on_one_screen_and_appear_in_their_place_on_the_others(house: House, screens: Screens) -> None:
    room = house.room("hold")
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    says(ana, WORRYING)
    expect(ana.locator(".message.is-held .message-state")).to_contain_text("Waiting for a moderator")
    says(ana, "And a light word.")
    wait_for_words(ben, ["And a light word."])
    house.stage.do(lambda: _make(room, 0, "visible"))  # by a process that cannot tell the screens: a lost event
    for page in (ana, ben):
        page.evaluate("window.dispatchEvent(new Event('online'))")  # they wake
    wait_for_words(ben, [WORRYING, "And a light word."])
    expect(ana.locator(".is-held")).to_have_count(0)


def _make(room: int, place: int, visibility: str) -> None:
    found = db.session().scalars(sa.select(Message).where(Message.room_id == room).order_by(Message.seq)).all()[place]
    found.visibility = visibility
    found.changed()


def set_hour(house: House, room: int, posture: str) -> None:
    """By a process that tells the screens nothing."""
    hours = Hours() if posture == "staffed" else Hours(tuple(Span(day, 0, 1440, posture) for day in range(7)))
    house.stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == room).values(hours=hours)))


def test_an_open_screen_follows_the_hour_of_its_room(house: House, screens: Screens) -> None:
    room = house.room()
    page = screens(house.ana, room)
    head, box, says_below = page.locator(".chat-head .posture"), page.get_by_label("Message"), page.locator(".composer-says")
    expect(head).to_contain_text("Staffed hours")
    set_hour(house, room, "night")
    page.evaluate("window.dispatchEvent(new Event('online'))")  # it wakes and asks
    expect(head).to_contain_text("Night")
    expect(page.locator(".composer-rules")).to_have_text("This room goes slowly: one message every 20 s.")
    says(page, WORRYING)
    state = page.locator(".message.is-held .message-state")
    expect(state).to_have_text("Waiting for a moderator. Only you see this. No hour is set when a moderator comes next.")
    box.fill("Half a sen")
    set_hour(house, room, "closed")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(head).to_contain_text("Closed")
    expect(says_below).to_contain_text("The chat is closed at this hour.")
    expect(page.locator(".send")).to_be_disabled()
    expect(box).to_have_value("Half a sen")
    set_hour(house, room, "staffed")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(head).to_contain_text("Staffed hours")
    expect(page.locator(".send")).to_be_enabled()
    expect(says_below).to_be_hidden()
    expect(page.locator(".composer-rules")).to_be_hidden()
    expect(state).to_have_text("Waiting for a moderator. Only you see this.")
    expect(box).to_have_value("Half a sen")


def test_when_the_hour_is_over_the_screen_asks_by_itself_without_a_socket_too(house: House, screens: Screens) -> None:
    room, tomorrow = house.room(), (now().weekday() + 1) % 7
    hours = Hours((Span(tomorrow, 0, 1440, "night"),))
    house.stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == room).values(hours=hours)))

    def lonely(page: Page) -> None:
        no_socket(page)
        page.clock.install()

    page = screens(house.ana, room, before=lonely)
    head = page.locator(".chat-head .posture")
    expect(head).to_contain_text("Quiet hours")
    left = int(head.get_attribute("data-left") or 0)
    assert 0 < left <= 86_400 + 3_600
    set_hour(house, room, "closed")  # what the server says once the hour is over
    page.clock.fast_forward((left - 5) * 1_000)
    expect(head).to_contain_text("Quiet hours")
    page.clock.fast_forward(10_000)
    expect(head).to_contain_text("Closed")
    expect(page.locator(".send")).to_be_disabled()
    expect(page.locator(".composer-says")).to_contain_text("The chat is closed at this hour.")


def test_without_a_socket_words_go_by_the_page_and_others_come_by_asking(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room, before=no_socket), screens(house.ben, room)
    expect(ana.locator(".connection")).to_contain_text("no live connection")
    says(ana, "By the page.")
    wait_for_words(ben, ["By the page."])
    says(ben, "By the wire.")
    wait_for_words(ana, ["By the page.", "By the wire."], seconds=6)
    assert house.stored(room) == ["By the page.", "By the wire."]
    house.stage.do(lambda: _make(room, 1, "hidden"))
    wait_for_words(ana, ["By the page."], seconds=6)


def test_a_lost_answer_never_makes_two_messages(house: House, screens: Screens) -> None:
    """The server stores and answers; the answer is lost; the words are sent again by the other road with their key."""
    room = house.room()

    def deaf(page: Page) -> None:
        def road(wire: WebSocketRoute) -> None:
            server = wire.connect_to_server()
            server.on_message(lambda said: None if '"repeated"' in str(said) else wire.send(said))

        page.route_web_socket(SOCKET, road)

    ana = screens(house.ana, room, before=deaf)
    says(ana, "Only once.")
    wait_for_words(ana, ["Only once."])
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible(timeout=12_000)
    assert words(ana) == ["Only once."]
    assert house.stored(room) == ["Only once."]


def test_unsent_words_survive_a_reload_and_are_sent_once(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room, before=no_socket)
    ana.route("**/chat", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    says(ana, "Do not lose me.")
    expect(ana.locator(".message.is-sending .message-state")).to_contain_text("Not sent yet")
    ana.reload()
    wait_for_words(ana, ["Do not lose me."])
    assert house.stored(room) == []
    ana.unroute("**/chat")
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible(timeout=12_000)
    assert house.stored(room) == ["Do not lose me."]
    ana.reload()
    wait_for_words(ana, ["Do not lose me."])


def test_refused_words_can_be_tried_again_or_taken_back(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room, before=no_socket)

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        return route.fulfill(status=429, json={"ok": False, "code": "too-many", "error": "That was a lot."})

    ana.route("**/chat", refuse)
    says(ana, "First.")
    expect(ana.locator(".is-failed .message-state")).to_have_text("That was a lot.")
    ana.get_by_role("button", name="Put it back").click()
    expect(ana.get_by_label("Message")).to_have_value("First.")
    says(ana, "Second.")
    expect(ana.locator(".is-failed .message-state")).to_have_text("That was a lot.")
    ana.unroute("**/chat")
    ana.get_by_role("button", name="Try again").click()
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    assert house.stored(room) == ["Second."]


def test_too_long_words_stay_in_the_box(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, "x" * 2_001)
    expect(ana.locator(".composer-says")).to_contain_text("too long by 1 ")
    expect(ana.get_by_label("Message")).to_have_value("x" * 2_001)
    assert house.stored(room) == []
    ana.evaluate("window.dispatchEvent(new Event('online'))")  # how things stand comes anew; what is wrong with the words stays
    says(screens(house.ben, room), "Evening")
    expect(ana.locator(".bubble", has_text="Evening")).to_be_visible()
    expect(ana.locator(".composer-says")).to_contain_text("too long by 1 ")


def test_new_messages_and_older_ones_do_not_move_what_is_being_read(house: House, screens: Screens) -> None:
    room = house.room()
    for number in range(90):
        house.ben.says(f"Line {number}. " + "Some mornings are slow. " * (number % 5), room=room, key=f"{room}-{number}")
    ana = screens(house.ana, room)
    expect(ana.locator(".message")).to_have_count(50)
    ana.locator(".messages").evaluate("node => { node.scrollTop = -700 }")
    place = "node => node.getBoundingClientRect().top"
    reading = ana.locator('[data-seq="80"]')
    was = reading.evaluate(place)
    house_ben = screens(house.ben, room)
    says(house_ben, "New one. " * 30)
    expect(ana.get_by_role("button", name="1 new message")).to_be_visible()
    assert abs(reading.evaluate(place) - was) < 2
    ana.locator(".messages").evaluate("node => { node.scrollTop = -99999 }")
    first = ana.locator('[data-seq="41"]')
    was = first.evaluate(place)
    ana.get_by_role("link", name="Earlier messages").focus()
    ana.keyboard.press("Enter")
    expect(ana.locator(".message")).to_have_count(91)
    assert abs(first.evaluate(place) - was) < 60, "only the link above it went"
    ana.get_by_role("button", name="1 new message").click()
    assert ana.locator(".messages").evaluate("node => node.scrollTop") == 0


def test_a_suspended_persons_screen_says_so_and_shows_nothing_new(house: House, screens: Screens) -> None:
    room = house.room()
    eve = house.stage.person("Eve")
    page, ben = screens(eve, room), screens(house.ben, room)
    says(ben, "Before.")
    wait_for_words(page, ["Before."])
    house.stage.do(lambda: accounts.restrict(eve.account(), decision_id=-now().microsecond, until=now() + timedelta(days=1)))
    expect(page.locator(".connection")).to_contain_text("suspended", timeout=10_000)
    says(ben, "After.")
    wait_for_words(ben, ["Before.", "After."])
    assert words(page) == ["Before."]


def archive(house: House, room: int) -> None:
    ida = house.stage.person("Ida", role="admin")
    house.stage.do(lambda: rooms.archive_room(ida.account(), room))


def take_out_of_a_private_room(house: House, room: int) -> None:
    house.stage.do(lambda: setattr(db.session().get_one(Room, room), "read_by", "joined"))
    house.stage.do(lambda: rooms.remove_member(db.session().get_one(Room, room), house.ana.id))


@pytest.mark.parametrize("lose", [archive, take_out_of_a_private_room])
def test_a_room_that_is_lost_says_so_and_takes_no_words(house: House, screens: Screens, lose: Callable[..., None]) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, "Before.")
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    ana.get_by_label("Message").fill("Half a sentence")
    lose(house, room)
    expect(ana.locator(".connection")).to_contain_text("not open to you any more", timeout=6_000)
    expect(ana.get_by_role("button", name="Send")).to_be_disabled()
    expect(ana.get_by_label("Message")).not_to_be_editable()
    expect(ana.get_by_label("Message")).to_have_value("Half a sentence")
    ana.locator(".connection").get_by_role("link", name="To the rooms").click()
    expect(ana).to_have_url(f"{house.server.url}/")


def test_a_lost_room_says_so_without_a_socket_too(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room, before=no_socket)
    says(ana, "Before.")
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    archive(house, room)
    expect(ana.locator(".connection")).to_contain_text("not open to you any more", timeout=8_000)
    expect(ana.get_by_role("button", name="Send")).to_be_disabled()


def test_who_was_taken_out_of_a_room_reads_on_and_is_told_how_to_write(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, "Before.")
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    house.stage.do(lambda: rooms.remove_member(db.session().get_one(Room, room), house.ana.id))
    expect(ana.locator(".composer-says")).to_contain_text("Join “Kitchen” first", timeout=6_000)
    expect(ana.get_by_role("button", name="Send")).to_be_disabled()
    house.stage.do(lambda: rooms.add_member(db.session().get_one(Room, room), house.ana.id))
    ana.evaluate("window.dispatchEvent(new Event('online'))")
    expect(ana.get_by_role("button", name="Send")).to_be_enabled()
    expect(ana.get_by_label("Message")).to_be_editable()


def test_a_member_suspended_while_talking_cannot_go_on_and_is_led_to_the_reasons(house: House, screens: Screens) -> None:
    room = house.room()
    lea = house.stage.person(f"Lea{room}", rooms=True)
    house.stage.do(lambda: rooms.add_member(db.session().get_one(Room, room), lea.id))
    page = screens(lea, room)
    says(page, "Before.")
    expect(page.locator(".message-state", has_text=SENT)).to_be_visible()
    house.stage.do(lambda: accounts.restrict(lea.account(), decision_id=-now().microsecond, until=now() + timedelta(days=1)))
    expect(page.locator(".connection")).to_contain_text("suspended", timeout=8_000)
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.locator(".connection").get_by_role("link", name="Why, until when").click()
    expect(page).to_have_url(f"{house.server.url}/suspended")


def test_offline_the_page_says_one_thing_and_it_is_true(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, "Before.")
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible()
    ana.context.set_offline(True)
    expect(ana.locator(".connection")).to_contain_text("You are offline", timeout=3_000)
    says(ana, "On the train.")
    expect(ana.locator(".is-sending .message-state")).to_contain_text("as soon as the connection is back", timeout=12_000)
    expect(ana.locator(".connection")).not_to_contain_text("what you write is sent.")
    ana.context.set_offline(False)
    expect(ana.locator(".message-state", has_text=SENT)).to_be_visible(timeout=15_000)
    expect(ana.locator(".connection")).to_be_empty()
    assert house.stored(room) == ["Before.", "On the train."]


def test_when_no_road_leads_to_the_server_the_page_does_not_promise_one(house: House, screens: Screens) -> None:
    """The browser believes to be online: the socket does not come and the page's own questions fail."""
    room = house.room()

    def cut(page: Page) -> None:
        no_socket(page)
        page.route("**/chat/messages*", lambda route: route.abort())

    ana = screens(house.ana, room, before=cut)
    expect(ana.locator(".connection")).to_contain_text("You are offline", timeout=10_000)
    ana.unroute("**/chat/messages*")
    expect(ana.locator(".connection")).to_contain_text("what you write is sent", timeout=10_000)


def test_the_keyboard_comes_to_writing_in_two_steps(house: House, screens: Screens) -> None:
    ana = screens(house.ana, house.room())
    for _ in range(2):
        ana.keyboard.press("Tab")
    expect(ana.get_by_role("link", name="Skip to writing")).to_be_focused()
    ana.keyboard.press("Enter")
    expect(ana.get_by_label("Message")).to_be_focused()


NEAR = """async (moments) => {
  const { localise } = await import('/static/js/core.time.mjs');
  const page = document.createElement('div');
  for (const moment of moments) {
    const made = document.createElement('time');
    made.dateTime = moment;
    made.dataset.when = 'weekday';
    page.append(made);
  }
  localise(page, Date.parse('2026-11-25T02:28:00Z'));
  return [...page.children].map((made) => made.textContent);
}"""


def test_a_weekday_on_the_screen_can_mean_one_day_only(house: House, screens: Screens) -> None:
    page = screens(house.ana, house.room())
    said = page.evaluate(NEAR, ["2026-11-25T08:00:00Z", "2026-11-26T08:00:00Z", "2026-12-02T02:28:00Z"])
    assert "Wednesday" not in said[0]
    assert "Thursday" in said[1]
    assert "Wednesday" in said[2]
    assert "Dec" in said[2]


LEDGER = """async ({ rounds }) => {
  const { Ledger } = await import('/static/js/chat.ledger.mjs');
  let seed = 7;
  const random = (below) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % below; };
  const wrong = [];
  for (let round = 0; round < rounds; round += 1) {
    const rows = [];                                    // the database
    const say = (seq) => ({ seq, body: `b${seq}`, state: 'visible' });
    const ledger = new Ledger(1, 0);
    const events = [];
    const answer = (from, count) => {
      const messages = rows.filter((row) => row.seq > from && row.visible).slice(0, count).map((row) => say(row.seq));
      const more = rows.filter((row) => row.seq > from && row.visible).length > count;
      return { messages, start: from + 1, through: more ? messages.at(-1).seq : rows.length, more };
    };
    for (let step = 0; step < 60; step += 1) {
      const dice = random(10);
      if (dice < 4) { rows.push({ seq: rows.length + 1, visible: random(4) > 0 }); const row = rows.at(-1); if (row.visible) events.push(['hear', row.seq]); }
      else if (dice < 5 && rows.length) { const row = rows[random(rows.length)]; row.visible = !row.visible; events.push([row.visible ? 'hear' : 'hide', row.seq]); }
      else if (dice < 8 && events.length) {             // told late, lost or twice; never out of order for one message
        const [what, seq] = events.shift();
        for (let times = random(3); times > 0; times -= 1) what === 'hear' ? ledger.hear(say(seq)) : ledger.hide(seq);
      } else { const touched = ledger.asking(); ledger.settle(answer(ledger.through, 3), touched); }
    }
    for (let from = 0, more = true; more;) { const page = answer(from, 3); ledger.settle(page, ledger.asking()); ({ through: from, more } = page); }
    const screen = ledger.messages.map((message) => message.seq).join();
    const truth = rows.filter((row) => row.visible).map((row) => row.seq).join();
    if (screen !== truth || ledger.gap || ledger.through !== rows.length) wrong.push({ round, screen, truth });
  }
  return wrong;
}"""


def test_state_and_events_are_the_freshly_loaded_state(house: House, screens: Screens) -> None:
    """500 random histories: events lost, doubled and late; after catching up the screen is what the database says."""
    page = screens(house.ana, house.room())
    assert page.evaluate(LEDGER, {"rounds": 500}) == []


OUTBOX = """async () => {
  const { Outbox } = await import('/static/js/chat.outbox.mjs');
  const kept = new Map();
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
  let clock = 1_000_000;
  const open = () => new Outbox(storage, 'box', () => clock);
  const first = open().add('one', 4);
  const same = open().entries[0];
  clock += 11 * 60_000;
  const late = open().entries[0];
  clock += 8 * 86_400_000;
  const gone = open().entries.length;
  const twins = open();
  twins.add('same', 4); twins.add('same', 4);
  const unseen = twins.unseen([{ seq: 5, body: 'same' }, { seq: 3, body: 'same' }]).length;
  const broken = new Outbox({ getItem: () => '{', setItem() { throw new Error('full'); }, removeItem() {} }, 'box');
  broken.add('two', 0);
  return { sameKey: same.key === first.key, state: same.state, late: late.state, gone, unseen, broken: broken.entries.length };
}"""


def test_words_on_their_way_keep_their_key_and_are_forgotten_after_a_week(house: House, screens: Screens) -> None:
    page = screens(house.ana, house.room())
    assert page.evaluate(OUTBOX) == {
        "sameKey": True, "state": "waiting", "late": "failed", "gone": 0, "unseen": 1, "broken": 1,
    }  # fmt: skip


# ---- words that are covered, folded away, or better not shared

MASK = Rule("blue-window", "blue window", "eating", "amber", action="mask")


def test_masked_words_are_covered_live_and_shown_by_keyboard(house: House, screens: Screens) -> None:
    ida = house.stage.person("Ida", role="admin")
    house.stage.do(lambda: lexicon.publish(ida.account(), note="hard to read", put=[MASK]))
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room, phone=True)
    says(ana, "🫂 the blue window 🫂")
    box = ben.get_by_role("checkbox", name="Show the covered words")
    hidden = ben.locator(".cover-words")
    expect(hidden).to_be_hidden()
    expect(hidden).to_have_text("blue window")
    box.focus()
    ben.keyboard.press("Space")
    expect(hidden).to_be_visible()
    expect(ana.locator(".cover")).to_have_count(0)
    expect(ana.locator(".message-state").first).to_contain_text("Others see a part of this covered")
    says(ana, "And more.")
    expect(ben.locator(".bubble")).to_have_count(2)
    expect(hidden).to_be_visible()
    ben.reload()
    expect(ben.locator(".cover-words")).to_be_hidden()
    says(ben, "Hm.")
    wait_for_words(ana, ["🫂 the blue window 🫂", "And more.", "Hm."])
    expect(ben.locator(".cover-says")).to_have_count(1)


def test_muted_words_are_folded_away_on_one_screen_alone(house: House, screens: Screens) -> None:
    room = house.room()
    house.ben.post("/me/muted", words="calories")
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    for line in ("Counting ｃàlories", "A quiet evening."):
        says(ana, line)
        expect(ben.locator(".bubble", has_text=line)).to_have_count(1)
    folded = ben.locator("details.reveal")
    expect(folded).to_have_count(1)
    expect(folded.locator(".bubble")).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator(".bubble")).to_be_visible()
    says(ben, "calories, I said it")
    expect(ben.locator("details.reveal")).to_have_count(1)
    ben.reload()
    expect(ben.locator("details.reveal")).to_have_count(1)
    expect(ana.locator("details.reveal")).to_have_count(0)


@pytest.mark.parametrize("socket", [True, False])
def test_a_number_is_taken_out_again_beside_the_message(house: House, screens: Screens, socket: bool) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room, before=None if socket else no_socket), screens(house.ben, room)
    says(ana, "call 07911 123456")
    card = ana.locator(".card-slot .advice")
    expect(card).to_contain_text("07911 123456")
    expect(ana.locator("#said")).to_contain_text("you may not want to share")
    assert ana.evaluate("document.activeElement.tagName") != "H2"
    wait_for_words(ben, ["call 07911 123456"])
    card.get_by_role("button", name="Take it out").click()
    expect(ana.locator(".advice")).to_have_count(0)
    wait_for_words(ana, [])
    wait_for_words(ben, [])
    expect(ana.get_by_label("Message")).to_have_value("call [phone number]")
    ana.get_by_role("button", name="Put it back as it was").click()
    expect(ana.get_by_label("Message")).to_have_value("call 07911 123456")
    assert ben.locator(".advice").count() == 0


def test_support_comes_first_and_it_is_fine_closes_one_card(house: House, screens: Screens) -> None:
    room = house.room()
    ana = screens(house.ana, room)
    says(ana, f"{WORRYING}. Call 07911 123456")
    expect(ana.locator(".card-slot > *")).to_have_count(2)
    assert ana.locator(".card-slot > *").evaluate_all("cards => cards.map((card) => card.className)") == [
        "support",
        "advice",
    ]
    ana.get_by_role("button", name="It is fine").click()
    expect(ana.locator(".advice")).to_have_count(0)
    expect(ana.locator(".card-slot .support")).to_be_visible()
    wait_for_words(ana, [f"{WORRYING}. Call 07911 123456"])


FOLD = """async (cases) => {
  const { foldChar, muting } = await import('/static/js/chat.fold.mjs');
  const folded = [];
  for (let code = 0; code < 0x110000; code += 1) folded.push(code >= 0xd800 && code < 0xe000 ? '' : foldChar(String.fromCodePoint(code)));
  return { folded, hidden: cases.map(([key, text]) => muting([key])(text)) };
}"""


def test_the_screen_folds_every_character_as_the_server_does(house: House, screens: Screens) -> None:
    page = screens(house.ana, house.room())
    given = [(mute_key(words), text) for words, text, _ in CASES]
    answer = page.evaluate(FOLD, given)
    assert answer["hidden"] == [hidden for _, _, hidden in CASES]
    known = (code for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs"))
    assert not [hex(code) for code in known if answer["folded"][code] != (fold_char(chr(code)) or "")]
    assert (live.TOP / "static/js/chat.fold.table.mjs").read_text() == table(), (
        "run: python -m docs.make_fold > static/js/chat.fold.table.mjs"
    )


def test_blocked_words_never_reach_the_wire(house: House, screens: Screens) -> None:
    room = house.room()
    cleo = house.stage.person("Cleo", rooms=True)
    house.stage.do(lambda: add_member(db.session().get_one(Room, room), cleo.id))
    house.stage.do(lambda: blocking.keep_away(cleo.account(), house.ben.id, "block"))
    frames: list[str] = []

    def listen(page: Page) -> None:
        page.on("websocket", lambda wire: wire.on("framereceived", lambda payload: frames.append(str(payload))))

    page, ben = screens(cleo, room, before=listen), screens(house.ben, room)
    says(ben, "Not for everybody.")
    expect(ben.locator(".message-state", has_text=SENT)).to_be_visible()
    says(screens(house.ana, room), "For everybody.")
    wait_for_words(page, ["For everybody."])
    assert any("For everybody." in frame for frame in frames)
    assert not any("Not for everybody." in frame for frame in frames)


def test_an_answer_and_a_kind_answer_reach_the_other_screen(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room, phone=True)
    says(ana, "The morning is long.")
    menu = ben.get_by_label("More for the words of Ana")
    menu.click()
    ben.get_by_role("button", name="A hug").click()
    expect(ana.locator(".kind")).to_have_text("A hug 1")
    expect(ben.locator(".kind.is-own")).to_be_visible()
    menu.click()
    ben.get_by_role("link", name="Reply").click()
    says(ben, "I know.")
    expect(ana.locator(".quote")).to_contain_text("The morning is long.")
    ana.get_by_label("More for your words").focus()
    ana.keyboard.press("Enter")
    ana.get_by_role("button", name="Take back").click()
    expect(ben.locator(".quote")).to_have_text("Answers a message that is no longer here")


def test_two_notice_each_other_until_they_keep_apart_and_open_screens_follow_at_once(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room, phone=True)
    for page in (ana, ben):
        expect(page.locator("[data-here-says]")).to_have_text("2 here")
    ana.locator("[data-here] summary").click()
    expect(ana.locator(".here-list li")).to_contain_text(["Ana you", "Ben"])
    ana.keyboard.press("Escape")
    ben.get_by_label("Message").press_sequentially("Good mor")
    expect(ana.locator(".typing")).to_have_text("Ben is writing …")
    expect(ana.locator(".typing")).to_have_js_property("ariaLive", None)
    ben.get_by_label("Message").fill("Good morning.")
    ben.get_by_role("button", name="Send").click()
    wait_for_words(ana, ["Good morning."])
    expect(ana.locator(".typing")).to_be_hidden()
    says(ana, "Hello, Ben.")
    wait_for_words(ben, ["Good morning.", "Hello, Ben."])
    ana.get_by_label("Message").fill("A draft")
    house.stage.do(lambda: blocking.keep_away(house.ana.account(), house.ben.id, "block"))  # in another window, or process
    wait_for_words(ana, ["Hello, Ben."])
    wait_for_words(ben, ["Good morning."])
    for page in (ana, ben):
        expect(page.locator("[data-here-says]")).to_have_text("1 here")
    assert ana.evaluate("document.activeElement.value") == "A draft"
    house.stage.do(lambda: blocking.keep_away(house.ana.account(), house.ben.id, "mute"))
    wait_for_words(ana, ["You muted Ben. Show", "Hello, Ben."])
    wait_for_words(ben, ["Good morning.", "Hello, Ben."])
    ana.get_by_label("More for the words of Ben").click()
    ana.get_by_role("link", name="Reply").click()
    expect(ana.locator(".answering .quote")).to_contain_text("(you muted them)")
    house.stage.do(lambda: blocking.meet_again(house.ana.account(), house.ben.id))
    wait_for_words(ana, ["Good morning.", "Hello, Ben."])


def test_reading_aloud_can_be_paused_by_keyboard_and_that_is_remembered(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    log = ana.locator("[role=log]")
    pause = ana.get_by_role("button", name="Stop reading new messages aloud")
    pause.focus()
    expect(pause).to_be_in_viewport()
    ana.keyboard.press("Enter")
    expect(log).to_have_attribute("aria-live", "off")
    expect(ana.locator("#said")).to_have_text("New messages still come and are not read aloud.")
    ana.reload()
    expect(log).to_have_attribute("aria-live", "off")
    ana.get_by_label("Message").fill("I am in the middle of a")
    for number in range(5):
        says(ben, f"Line {number}.")
    wait_for_words(ana, [f"Line {number}." for number in range(5)])
    assert ana.evaluate("document.activeElement.name") == "body"
    expect(ana.locator("#said")).to_have_count(0)
    again = ana.get_by_role("button", name="Read new messages aloud again")
    again.focus()
    ana.keyboard.press("Enter")
    expect(log).not_to_have_attribute("aria-live", "off")


def test_words_and_their_note_are_changed_on_a_page_and_follow_on_other_screens(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    says(ana, "It was loud in the ward.")
    wait_for_words(ben, ["It was loud in the ward."])
    ana.get_by_label("More for your words").click()
    ana.get_by_role("link", name="Edit").click()
    ana.get_by_label("Content note").fill("mentions of hospital")
    ana.get_by_role("button", name="Save").click()
    expect(ana.locator(".message .reveal summary")).to_have_text("Note: mentions of hospital")
    expect(ben.locator(".message .reveal summary")).to_have_text("Note: mentions of hospital")
    expect(ben.locator(".bubble")).to_be_hidden()
    expect(ben.locator(".message-state")).to_have_text("Edited")


# ---- reading


def unread_of(house: House, person: Person) -> dict[int, int]:
    return house.stage.ask(lambda: reading.unread_by_room(person.account()))


def seen_by(house: House, person: Person, room: int) -> int | None:
    return house.stage.ask(lambda: reading.place_in(person.account(), room))


def looks(page: Page, *, away: bool) -> None:
    """The person turns to another tab, or back."""
    page.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: {str(away).lower()}, configurable: true }})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_who_comes_back_finds_a_line_and_a_way_to_what_is_new(house: House, screens: Screens) -> None:
    room = house.room()
    house.ana.says("Old.", room=room)
    ben = screens(house.ben, room)
    ben.goto(f"{house.server.url}/me")
    live.until(lambda: seen_by(house, house.ben, room) == 1)
    for number in range(15):
        house.ana.says(f"News {number}.", room=room, key=f"news-{room}-{number}")
    assert unread_of(house, house.ben)[room] == 15
    ben.goto(f"{house.server.url}/rooms/{room}")
    expect(ben.locator(".actions .count")).to_have_text("15 unread")
    ben.goto(f"{house.server.url}/rooms/{room}/chat")
    way = ben.get_by_role("link", name=re.compile("^15 unread"))
    way.click()
    expect(ben.locator("#new-since")).to_be_focused()
    expect(ben.locator("#new-since")).to_be_in_viewport()
    expect(way).to_be_hidden()
    expect(ben.locator("#new-since + .message .bubble")).to_have_text("News 0.")
    before = ben.evaluate("document.querySelector('.messages').scrollTop")
    house.ana.says("Later.", room=room)
    ben.evaluate("window.dispatchEvent(new Event('online'))")  # this process cannot tell the screens
    ben.locator(".bubble", has_text="Later.").wait_for(state="attached")
    assert ben.evaluate("document.querySelector('.messages').scrollTop") <= before, "nobody is moved to the end"
    expect(ben.locator("#new-since")).to_have_count(1)


def test_what_comes_while_nobody_looks_stays_unread_and_gets_a_line(house: House, screens: Screens) -> None:
    room = house.room()
    ana, ben = screens(house.ana, room), screens(house.ben, room)
    looks(ben, away=True)
    live.until(lambda: seen_by(house, house.ben, room) == 0)
    says(ana, "While you were away.")
    expect(ben.locator("#new-since + .message .bubble")).to_have_text("While you were away.")
    assert unread_of(house, house.ben)[room] == 1
    looks(ben, away=False)
    looks(ben, away=True)
    live.until(lambda: room not in unread_of(house, house.ben))


def test_a_linked_message_is_in_view_and_has_the_focus(house: House, screens: Screens) -> None:
    room = house.room()
    for number in range(70):
        house.ana.says(f"Line {number}.", room=room, key=f"line-{room}-{number}")
    ben = screens(house.ben, room)
    linked = house.stage.ask(lambda: _numbered(room, 5))
    ben.goto(f"{house.server.url}/rooms/{room}/chat?at=5#message-{linked}")
    expect(ben.locator(f"#message-{linked}")).to_be_focused()
    expect(ben.locator(f"#message-{linked}")).to_be_in_viewport()
    ben.get_by_role("link", name="Later messages").click()
    expect(ben.locator(".bubble").first).to_have_text("Line 29.")
    says(ben, "Here at last.")
    expect(ben.locator(".message-state", has_text=SENT)).to_be_visible()


def _numbered(room: int, seq: int) -> int | None:
    return db.session().scalar(sa.select(Message.id).where(Message.room_id == room, Message.seq == seq))


def test_the_link_of_a_message_is_copied_whole(house: House, screens: Screens) -> None:
    room = house.room()
    house.ana.says("Link me.", room=room)
    ben = screens(house.ben, room)
    ben.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ben.locator(".message-menu summary").click()
    ben.get_by_role("link", name="Link", exact=True).click()
    expect(ben.get_by_text("Link copied", exact=True).first).to_be_visible()
    copied = ben.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{house.server.url}/rooms/{room}/chat\?at=1#message-\d+", copied), copied


def test_unsent_words_belong_to_one_room_and_one_person_and_go_with_signing_out(house: House, screens: Screens) -> None:
    here, there = house.stage.low_days, house.stage.eating
    una, vic = house.stage.person("Una", rooms=True), house.stage.person("Vic", rooms=True)
    page = screens(una, here)
    page.get_by_label("Message").fill("Only for here.")
    for room, words in ((there, ""), (here, "Only for here.")):
        page.goto(f"{house.server.url}/rooms/{room}/chat")
        expect(page.get_by_label("Message")).to_have_value(words)
    vic.client  # noqa: B018  (signs in)
    page.context.add_cookies([{"name": "kith", "value": vic.client.get_cookie("kith").value, "url": house.server.url}])
    page.goto(f"{house.server.url}/rooms/{here}/chat")
    expect(page.get_by_label("Message")).to_have_value("")
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('kith:draft:'))"
    assert page.evaluate(kept) == [f"kith:draft:Una:chat-{here}"]
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.wait_for()
    assert page.evaluate(kept) == []
