"""Granting and revoking certificates, and the rota."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from community.accounts.access import account_to_manage
from community.accounts.actions import authority_changed
from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import now
from community.core.errors import Forbidden, Invalid, NotFound
from community.notifications.actions import notify
from community.safety import CONCERNS

from .models import SHIFT_KINDS, Certificate, Shift
from .queries import concerns_of, in_force

LONGEST_CERTIFICATE = timedelta(days=3650)
LONGEST_SHIFT = timedelta(days=31)


def certify(actor: Account | None, account: Account, concern: str, *, days: int) -> Certificate:
    """Trained for `concern` for `days` from now. `actor` is None on the command line. Nobody certifies themselves."""
    if not 1 <= days <= LONGEST_CERTIFICATE.days:
        raise Invalid({"days": "A certificate lasts from 1 to 3650 days."})
    return _grant(actor, account, concern, now() + timedelta(days=days))


def grant_certificates(actor: Account, account_id: int, concerns: Iterable[str], until: datetime) -> Account:
    """Certify for several concerns until one moment. One that is in force as long already stays as it is."""
    account = account_to_manage(actor, account_id)
    chosen = list(dict.fromkeys(concerns))
    if not chosen:
        raise Invalid({"concern": "Choose at least one concern."})
    if not now() < until <= now() + LONGEST_CERTIFICATE:
        raise Invalid({"until": "Choose a day from tomorrow to ten years ahead."})
    new = [concern for concern in chosen if not _in_force_until(account.id, concern, until)]
    for concern in new:
        _grant(actor, account, concern, until)
    tell_certified(account, new)
    return account


def tell_certified(account: Account, concerns: Sequence[str]) -> None:
    """One notification, however many certificates were granted at once."""
    if concerns:
        notify(account.id, "certificate-granted", mail=True, concerns=list(concerns))


def _grant(actor: Account | None, account: Account, concern: str, until: datetime) -> Certificate:
    if actor is not None and actor.id == account.id:
        raise Forbidden("Nobody certifies themselves. Ask another admin.")
    if not account.is_staff:
        raise Invalid({"concern": f"{account.name} is not a moderator yet. Change the role first."})
    if concern not in CONCERNS:
        raise Invalid({"concern": "Choose a concern from the list."})
    granter = actor.id if actor else None
    row = Certificate(account_id=account.id, concern=concern, granted_by_id=granter, granted_at=now(), expires_at=until)
    db.session().add(row)
    db.session().flush()
    audit.record(actor, "certificate.granted", f"account:{account.id}", concern=concern, until=row.expires_at.isoformat())
    authority_changed(account.id)
    return row


def _in_force_until(account_id: int, concern: str, until: datetime) -> bool:
    """Whether a certificate in force reaches that day already: a form sent twice grants once."""
    latest = sa.select(sa.func.max(Certificate.expires_at, type_=Certificate.expires_at.type))
    found = db.session().scalar(latest.where(Certificate.account_id == account_id, Certificate.concern == concern, in_force()))
    return found is not None and found >= until


def revoke_certificates(actor: Account, account_id: int, concern: str) -> Account:
    """Take a concern from a moderator at once: the desk closes on every screen they have open."""
    account = account_to_manage(actor, account_id)
    held = (
        sa.update(Certificate)
        .where(Certificate.account_id == account.id, Certificate.concern == concern, in_force())
        .values(revoked_at=now(), revoked_by_id=actor.id)
    )
    if db.session().execute(held).rowcount:  # type: ignore[attr-defined]
        audit.record(actor, "certificate.revoked", f"account:{account.id}", concern=concern)
        authority_changed(account.id)
        notify(account.id, "certificate-ended", mail=True, concern=concern, revoked=True)
    return account


def tell_of_ends(*, at_most: int = 50) -> None:
    """Who holds a certificate is told once that it ran out, unless a newer one for the same concern is in force."""
    ended = sa.select(Certificate).where(
        Certificate.expires_at <= now(), Certificate.revoked_at.is_(None), Certificate.end_told.is_(False)
    )
    rows = db.session().scalars(ended.order_by(Certificate.expires_at).limit(at_most).with_for_update(skip_locked=True))
    for certificate in rows.all():
        certificate.end_told = True
        account = db.session().get_one(Account, certificate.account_id)
        if account.is_staff and certificate.concern not in concerns_of(account):
            notify(account.id, "certificate-ended", mail=True, concern=certificate.concern)


def add_shift(actor: Account | None, account: Account, kind: str, starts_at: datetime, ends_at: datetime) -> Shift:
    """Hours on duty or on call. The same hours given twice are one shift."""
    _refuse_bad_shift(account, kind, starts_at, ends_at)
    beside = sa.select(Shift).where(
        Shift.account_id == account.id, Shift.kind == kind, Shift.starts_at < ends_at, Shift.ends_at > starts_at
    )
    known = db.session().scalars(beside.order_by(Shift.starts_at).limit(1)).one_or_none()
    if known is not None and (known.starts_at, known.ends_at) == (starts_at, ends_at):
        return known
    if known is not None:
        raise Invalid({"starts": f"{account.name} has a shift of this kind in these hours already. Remove it first."})
    row = Shift(account_id=account.id, kind=kind, starts_at=starts_at, ends_at=ends_at)
    db.session().add(row)
    db.session().flush()
    audit.record(actor, "shift.added", f"account:{account.id}", kind=kind, starts=starts_at.isoformat(), ends=ends_at.isoformat())
    return row


def _refuse_bad_shift(account: Account, kind: str, starts_at: datetime, ends_at: datetime) -> None:
    if kind not in SHIFT_KINDS:
        raise Invalid({"kind": "Choose on duty or on call."})
    if not account.is_staff:
        raise Invalid({"person": f"{account.name} is not a moderator. Change the role first."})
    if kind == "on-call" and not account.is_senior:
        raise Invalid({"person": f"On call is for seniors, who decide what was passed on. {account.name} is a moderator."})
    if ends_at <= starts_at:
        raise Invalid({"ends": "A shift ends after it begins."})
    if ends_at - starts_at > LONGEST_SHIFT:
        raise Invalid({"ends": f"A shift lasts up to {LONGEST_SHIFT.days} days. Make two."})


def plan_shift(actor: Account, account_id: int, kind: str, starts_at: datetime, ends_at: datetime) -> Shift:
    """A shift to come, made by an admin."""
    if ends_at <= now():
        raise Invalid({"ends": "This shift would be over already. Choose hours to come."})
    return add_shift(actor, account_to_manage(actor, account_id), kind, starts_at, ends_at)


def remove_shift(actor: Account, shift_id: int) -> Shift:
    """A shift that is over stays: who was on duty when is part of the record. One that runs ends now."""
    shift = db.session().get(Shift, shift_id) if actor.is_admin else None
    if shift is None:
        raise NotFound
    if shift.ends_at <= now():
        raise Forbidden("This shift is over. It stays, because it says who was on duty then.")
    if shift.starts_at < now():
        shift.ends_at = now()
    else:
        db.session().delete(shift)
    audit.record(actor, "shift.removed", f"account:{shift.account_id}", kind=shift.kind, starts=shift.starts_at.isoformat())
    return shift
