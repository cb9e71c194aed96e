"""Joining and leaving. Rooms are made and changed in this file too; the admin's pages only parse and answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain, count
from typing import Any

import sqlalchemy as sa

from community.accounts.access import account_named, account_to_manage
from community.accounts.actions import authority_changed, name_key
from community.accounts.events import recheck_accounts
from community.accounts.models import Account, AuthorityChange, AuthSession
from community.core import audit, db, text
from community.core.clock import now
from community.core.db import UTCDateTime
from community.core.errors import Forbidden, Invalid, NotFound
from community.core.realtime import sockets
from community.notifications.actions import notify

from .access import is_member, must_have_a_door, room_to_manage, room_to_read
from .forms import RoomSettings, Week
from .hours import Holiday
from .models import Membership, Room, StaffScope


def join_room(actor: Account, room_id: int) -> Room:
    """Joining twice is joining once. Rooms read only by the joined are entered by an admin's hand."""
    room = room_to_read(actor, room_id)
    if room.archived_at is not None:
        raise Forbidden("This room is archived and takes no new members.")
    if not is_member(actor, room):
        add_member(room, actor.id)
    return room


def add_member(room: Room, account_id: int) -> None:
    db.session().add(Membership(room_id=room.id, account_id=account_id, joined_at=now()))
    _count(room, 1)


def leave_room(actor: Account, room_id: int) -> Room:
    room = must_have_a_door(room_to_read(actor, room_id))
    remove_member(room, actor.id)
    return room


def remove_member(room: Room, account_id: int) -> None:
    """Also out of the sessions of this room, where only its members may read it."""
    if room.read_by == "joined" and room.host_id is None:
        inside = sa.select(Room).join(Membership, Membership.room_id == Room.id)
        for inner in db.session().scalars(inside.where(Room.host_id == room.id, Membership.account_id == account_id)).all():
            remove_member(inner, account_id)
    membership = db.session().get(Membership, (room.id, account_id))
    if membership is not None:
        db.session().delete(membership)
        _count(room, -1)
        authority_changed(account_id)


def _count(room: Room, change: int) -> None:
    db.session().execute(sa.update(Room).where(Room.id == room.id).values(member_count=Room.member_count + change))


def look_after_everything(account: Account) -> None:
    """Put every room, present and future, in a moderator's scope."""
    everywhere = sa.select(StaffScope.id).where(StaffScope.account_id == account.id, StaffScope.room_id.is_(None))
    if db.session().scalar(everywhere) is None:
        db.session().add(StaffScope(account_id=account.id, room_id=None))
        authority_changed(account.id)


# ---- the admin's side


def make_room(actor: Account, settings: RoomSettings) -> Room:
    """A room with a name of its own. The same form sent twice makes one room."""
    if not actor.is_admin:
        raise NotFound
    twin = (
        db.session()
        .scalars(sa.select(Room).where(Room.name == settings.name, Room.archived_at.is_(None), Room.host_id.is_(None)))
        .first()
    )
    if twin is not None and _facts_of(twin) == _facts_told(settings):
        return twin
    _refuse_taken_name(settings.name)
    room = Room(slug=_free_slug(settings.name), created_at=now(), name=settings.name)
    _settle(room, settings)
    db.session().add(room)
    db.session().flush()
    audit.record(actor, "room.made", f"room:{room.id}", name=room.name, **_rules_of(room))
    return room


def change_room(actor: Account, room_id: int, settings: RoomSettings) -> Room:
    """Who may read or write decides who may hear and speak: when that changes, every live connection is checked again."""
    room = room_to_manage(actor, room_id)
    if settings.name != room.name:
        _refuse_taken_name(settings.name, but=room.id)
    was, readers = _facts_of(room), (room.read_by, room.write_by, room.has_chat)
    _settle(room, settings)
    changed = [field for field, value in _facts_of(room).items() if value != was[field]]
    audit.record(actor, "room.changed", f"room:{room.id}", changed=changed, **_rules_of(room))
    if (room.read_by, room.write_by, room.has_chat) != readers:
        everyone_checked_again()
    return room


def archive_room(actor: Account, room_id: int) -> Room:
    """Archived rooms are there for admins only and take no words. Nothing in them is lost."""
    room = room_to_manage(actor, room_id)
    if room.archived_at is None:
        room.archived_at = now()
        audit.record(actor, "room.archived", f"room:{room.id}")
        everyone_checked_again()
    return room


def reopen_room(actor: Account, room_id: int) -> Room:
    room = room_to_manage(actor, room_id)
    if room.archived_at is not None:
        room.archived_at = None
        audit.record(actor, "room.reopened", f"room:{room.id}")
    return room


def put_in_room(actor: Account, room_id: int, name: str) -> Account:
    room = room_to_manage(actor, room_id)
    account = account_named(name_key(text.storable(name)))
    if account is None:
        raise Invalid({"name": "There is nobody with this name. Check the spelling."})
    if is_member(account, room):
        raise Invalid({"name": f"{account.name} is in this room already."})
    add_member(room, account.id)
    audit.record(actor, "room.member-added", f"room:{room.id}", account=account.id)
    if room.read_by != "staff":
        notify(account.id, "room-added", room=room.id, name=room.name, private=room.read_by == "joined")
    return account


def take_out_of_room(actor: Account, room_id: int, account_id: int) -> Account:
    room, account = room_to_manage(actor, room_id), account_to_manage(actor, account_id)
    if is_member(account, room):
        remove_member(room, account_id)
        audit.record(actor, "room.member-removed", f"room:{room.id}", account=account_id)
    return account


def set_scope(actor: Account, account_id: int, *, everything: bool, room_ids: Collection[int]) -> Account:
    """Which rooms a moderator looks after."""
    account = account_to_manage(actor, account_id)
    if not account.is_staff:
        raise Forbidden(f"{account.name} is a member. Change the role first; then choose rooms.")
    known = set(db.session().scalars(sa.select(Room.id).where(Room.id.in_(room_ids))))
    wanted: set[int | None] = {None} if everything else set(known)
    db.session().execute(sa.delete(StaffScope).where(StaffScope.account_id == account.id))
    db.session().add_all(StaffScope(account_id=account.id, room_id=room_id) for room_id in wanted)
    audit.record(actor, "scope.set", f"account:{account.id}", rooms="all" if everything else sorted(known))
    authority_changed(account.id)
    return account


def everyone_checked_again() -> None:
    """Every process compares the live connections of everybody signed in with what they may hear now."""
    signed_in = sa.select(AuthSession.account_id, sa.literal(now(), UTCDateTime())).where(
        AuthSession.revoked_at.is_(None), AuthSession.expires_at > now()
    )
    db.session().execute(sa.insert(AuthorityChange).from_select(["account_id", "at"], signed_in.distinct()))
    db.after_commit(lambda: recheck_accounts(sockets.accounts()))


PLAIN = (
    "name",
    "purpose",
    "guidance",
    "has_forum",
    "has_chat",
    "read_by",
    "write_by",
    "mode",
    "profile",
    "slow_seconds",
    "links_by",
    "link_days",
    "mentions_max",
    "position",
)


def _settle(room: Room, settings: RoomSettings) -> None:
    for field in PLAIN:
        setattr(room, field, getattr(settings, field))


def _facts_of(room: Room) -> dict[str, Any]:
    return {field: getattr(room, field) for field in PLAIN}


def _facts_told(settings: RoomSettings) -> dict[str, Any]:
    return {field: getattr(settings, field) for field in PLAIN}


def _rules_of(room: Room) -> dict[str, Any]:
    """What the audit log keeps of a room: its settings, not its prose."""
    who = ("read_by", "write_by", "mode", "profile", "has_forum", "has_chat", "timezone", "outside_hours", "waits_unstaffed")
    kept = (*who, "slow_seconds", "links_by", "link_days", "mentions_max")
    return {**{field: getattr(room, field) for field in kept}, "hours": [list(span) for span in sorted(room.hours.week)]}


# ---- hours


def set_week(actor: Account, room_id: int, week: Week) -> Room:
    room = _hours_to_change(actor, room_id)
    was = (room.timezone, room.outside_hours, room.waits_unstaffed, sorted(room.hours.week))
    room.timezone, room.outside_hours, room.waits_unstaffed = week.timezone, week.outside_hours, week.waits_unstaffed
    room.hours = replace(room.hours, week=tuple(sorted(week.spans)))
    told = (room.timezone, room.outside_hours, room.waits_unstaffed, sorted(room.hours.week))
    fields = ("timezone", "outside_hours", "waits_unstaffed", "hours")
    changed = [field for field, old, new in zip(fields, was, told, strict=True) if old != new]
    audit.record(actor, "room.changed", f"room:{room.id}", changed=changed, **_rules_of(room))
    return room


def add_holidays(actor: Account, room_ids: Collection[int], holidays: Sequence[Holiday]) -> list[Room]:
    """The same days in each of these rooms, each in its own zone. Saying the same twice is saying it once; what is over goes."""
    rooms = [_hours_to_change(actor, room_id) for room_id in sorted(set(room_ids))]
    for room in rooms:
        coming = [one for one in room.hours.holidays if one.last >= now().date() - timedelta(days=1)]
        kept = sorted({*coming, *holidays})
        if len(kept) > HOLIDAYS_MAX:
            raise Invalid({"days": f"Days: “{room.name}” has {len(coming)} holidays, and {HOLIDAYS_MAX} fit. Remove some first."})
        room.hours = replace(room.hours, holidays=tuple(kept))
        days = [[str(one.first), str(one.last), one.posture] for one in holidays]
        audit.record(actor, "room.holidays-added", f"room:{room.id}", days=days)
    return rooms


def remove_holiday(actor: Account, room_id: int, named: str) -> Room:
    """`named` is a holiday as `holiday_key` names it. One that is gone already is fine."""
    room = _hours_to_change(actor, room_id)
    kept = tuple(one for one in room.hours.holidays if holiday_key(one) != named)
    if kept != room.hours.holidays:
        room.hours = replace(room.hours, holidays=kept)
        audit.record(actor, "room.holiday-removed", f"room:{room.id}", day=named.partition(" ")[0])
    return room


HOLIDAYS_MAX = 100


def holiday_key(one: Holiday) -> str:
    return f"{one.first} {one.last} {one.opens} {one.closes} {one.posture} {one.name}"


def _hours_to_change(actor: Account, room_id: int) -> Room:
    """As it is now, locked: two admins who change hours at once do not undo each other."""
    room = room_to_manage(actor, room_id)
    db.session().refresh(room, with_for_update=True)
    return room


def _refuse_taken_name(name: str, *, but: int = 0) -> None:
    """Two rooms that read alike would be mistaken for each other."""
    rows = db.session().execute(sa.select(Room.name, Room.archived_at).where(Room.id != but, Room.host_id.is_(None)))
    for taken, archived_at in rows:
        if taken.casefold() == name.casefold():
            raise Invalid(
                {"name": f"There is already {'an archived' if archived_at else 'a'} room called “{taken}”. Choose another name."}
            )


def _free_slug(name: str) -> str:
    """From the name; numbered when another room has it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = "-".join(re.findall("[a-z0-9]+", plain))[:50].strip("-") or "room"
    taken = set(db.session().scalars(sa.select(Room.slug).where(Room.slug.startswith(stem, autoescape=True))))
    return next(slug for slug in chain([stem], (f"{stem}-{number}" for number in count(2))) if slug not in taken)
