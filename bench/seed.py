"""A large community in an empty database: rooms, members, topics and posts of ordinary length, quickly.

Posts are inserted in bulk and not read by the gate, which the benchmarks measure on its own. The same seed makes the same words.
"""

from __future__ import annotations

import argparse
import random
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from markupsafe import escape

from community.accounts.access import token_hash
from community.accounts.actions import add_house_rules
from community.accounts.models import Account, AuthSession
from community.core import db
from community.forum.models import Post, Topic
from community.lexicon.actions import import_starter_rules
from community.rooms.models import Membership, Room, StaffScope
from community.safety import CONCERNS
from community.training.models import Certificate

BATCH = 5_000
RARE, COMMON = "marzipan", "morning"
LONG_TOPIC, SHORT_TOPIC = 1, 2
LONG_TOPIC_POSTS, SHORT_TOPIC_POSTS = 2_000, 20
MODERATOR = 1  # account id; members follow
WORDS = (Path(__file__).parent / "words.txt").read_text().split()


@dataclass(frozen=True)
class Size:
    rooms: int = 20
    members: int = 500
    topics: int = 10_000
    posts: int = 100_000


@dataclass(frozen=True)
class Seeded:
    """What a benchmark needs to know of what was made. `tokens`: a sign-in of each member; `moderator` one of the moderator."""

    tokens: list[str]
    moderator: str
    first_member: int
    size: Size


def seed(size: Size, *, now: datetime | None = None) -> Seeded:
    """Fill the database of the current app context."""
    dice, moment = random.Random(20_261_124), now or datetime.now(UTC)
    with db.write() as database:
        add_house_rules([{"key": "kind", "title": "Be kind", "text": "We speak as we would like to be spoken to."}])
        import_starter_rules()
        database.execute(sa.insert(Room), _rooms(size, moment))
        database.execute(sa.insert(Account), _people(size, moment))
        database.execute(
            sa.insert(Membership),
            [
                {"room_id": room, "account_id": member, "joined_at": moment}
                for room in _ids(size.rooms)
                for member in _members(size)
            ],
        )
        _train(moment)
        tokens = {account: secrets.token_urlsafe(32) for account in _ids(size.members + 1)}
        database.execute(sa.insert(AuthSession), [_sign_in(account, token, moment) for account, token in tokens.items()])
    lengths = _lengths(size, dice)
    for batch in _batches(_topics(size, lengths, moment, dice)):
        with db.write() as database:
            database.execute(sa.insert(Topic), batch)
    for batch in _batches(_posts(size, lengths, moment, dice)):
        with db.write() as database:
            database.execute(sa.insert(Post), batch)
    _settle()
    return Seeded([tokens[member] for member in _members(size)], tokens[MODERATOR], MODERATOR + 1, size)


def _ids(count: int) -> range:
    return range(1, count + 1)


def _members(size: Size) -> range:
    return range(MODERATOR + 1, MODERATOR + 1 + size.members)


def _rooms(size: Size, moment: datetime) -> list[dict[str, Any]]:
    return [
        {"id": number, "slug": f"room-{number}", "name": f"Room {number}", "purpose": "For people who measure, and rest.", "mode": "publish",
         "position": number, "member_count": size.members, "topic_count": size.topics // size.rooms, "created_at": moment, "last_activity_at": moment}
        for number in _ids(size.rooms)
    ]  # fmt: skip


def _people(size: Size, moment: datetime) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": f"Member {number}", "name_key": f"member{number}", "password_hash": "no sign-in", "country": "GB", "hue": number % 8,
         "role": "moderator" if number == MODERATOR else "member", "created_at": moment, "agreed_rules_at": moment}
        for number in _ids(size.members + 1)
    ]  # fmt: skip


def _train(moment: datetime) -> None:
    db.session().execute(sa.insert(StaffScope), [{"account_id": MODERATOR, "room_id": None}])
    year = moment + timedelta(days=365)
    db.session().execute(
        sa.insert(Certificate),
        [{"account_id": MODERATOR, "concern": concern, "granted_at": moment, "expires_at": year} for concern in CONCERNS],
    )


def _sign_in(account: int, token: str, moment: datetime) -> dict[str, Any]:
    return {"account_id": account, "token_hash": token_hash(token), "browser": "", "created_at": moment, "seen_at": moment,
            "expires_at": moment + timedelta(days=30)}  # fmt: skip


def _lengths(size: Size, dice: random.Random) -> list[int]:
    """Posts of each topic: one long topic, one of exactly a page, the others share the rest unevenly."""
    fixed = [min(LONG_TOPIC_POSTS, size.posts // 10), SHORT_TOPIC_POSTS]
    others, left = size.topics - len(fixed), size.posts - sum(fixed)
    cuts = [0, *sorted(dice.sample(range(1, left), others - 1)), left]
    return [*fixed, *(after - before for before, after in pairwise(cuts))]


def _topics(size: Size, lengths: list[int], moment: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    for number, length in enumerate(lengths, 1):
        last = moment - timedelta(minutes=number)
        yield {
            "id": number, "room_id": 1 + number % size.rooms, "author_id": dice.choice(_members(size)), "title": _words(dice, 5).capitalize(),
            "visibility": "visible", "post_count": length, "reply_count": length - 1, "created_at": last - timedelta(days=1), "last_post_at": last,
            "last_author_id": dice.choice(_members(size)),
        }  # fmt: skip


def _posts(size: Size, lengths: list[int], moment: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    made = 0
    for topic, length in enumerate(lengths, 1):
        for number in _ids(length):
            made += 1
            body = _body(dice, made)
            html = "".join(f"<p>{escape(part)}</p>\n" for part in body.split("\n\n"))
            yield {
                "topic_id": topic, "room_id": 1 + topic % size.rooms, "author_id": dice.choice(_members(size)), "number": number, "body": body,
                "html": html, "render_version": 1, "form_key": f"{made:032x}", "visibility": "visible", "edition": 1, "lexicon_revision": 0,
                "created_at": moment - timedelta(minutes=topic, seconds=length - number),
            }  # fmt: skip


def _body(dice: random.Random, made: int) -> str:
    """One to four paragraphs, about 60 words; every fifth has the common word and every 5,000th the rare one."""
    parts = [_words(dice, dice.randint(8, 40)).capitalize() + "." for _ in range(dice.choice((1, 1, 2, 2, 3, 4)))]
    if made % 5 == 0:
        parts[0] += f" Every {COMMON}."
    if made % 5_000 == 7:
        parts[-1] += f" With {RARE}."
    return "\n\n".join(parts)


def _words(dice: random.Random, count: int) -> str:
    """Ordinary words: the first of the list are said more often than the last, as in speech."""
    return " ".join(WORDS[int(dice.random() ** 2 * len(WORDS))] for _ in range(count))


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _settle() -> None:
    """What a database that grew by itself would have: number sequences past the ids given here, and statistics."""
    with db.write() as database:
        if db.engine().dialect.name == "postgresql":
            for table in ("rooms", "accounts", "topics"):
                database.execute(sa.text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
        database.execute(sa.text("ANALYZE"))


def main() -> None:
    """`python -m bench.seed`: fill the (empty) database of this environment."""
    from community import create_app

    parser = argparse.ArgumentParser(description=main.__doc__)
    for name, standard in asdict(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=standard)
    size = Size(**vars(parser.parse_args()))
    app = create_app()
    with app.app_context():
        app.extensions["alembic"].upgrade()
        made = seed(size)
    print(made.tokens[0])


if __name__ == "__main__":
    main()
