"""Argon2id, off the event loop: hashing takes tens of milliseconds and would stall every other greenlet.

At most two at a time; call outside `write()`.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent import get_hub
from gevent.lock import BoundedSemaphore

from community.core.errors import Invalid
from community.core.text import storable

MIN_LENGTH, MAX_LENGTH = 10, 200
FEWEST_DIFFERENT = 5
TRIED_FIRST = frozenset(
    ["1234567890", "0123456789", "0987654321", "12345678910", "qwertyuiop", "qwerty12345", "qwerty123456", "password12",
     "password123", "password1234", "passwordpassword", "1q2w3e4r5t", "1qaz2wsx3edc", "iloveyou12", "iloveyou123", "letmein123",
     "abcdefghij", "abcdefghijk", "welcome123", "asdfghjkl1"]
)  # fmt: skip
_hasher = PasswordHasher()
_two_at_a_time = BoundedSemaphore(2)
NOBODY = _hasher.hash("nobody has this password")


def check_password(password: str, *, name: str, field: str = "password") -> str:
    """The password, if it is long enough to be safe and not the first thing a stranger would try. No rules about symbols."""
    if len(password) < MIN_LENGTH:
        raise Invalid({field: f"A password needs at least {MIN_LENGTH} characters. Three or four plain words do well."})
    if len(password) > MAX_LENGTH:
        raise Invalid({field: f"A password can have {MAX_LENGTH} characters; this has {len(password):,}."})
    folded = "".join(password.casefold().split())
    if folded and folded == "".join(name.casefold().split()):
        raise Invalid({field: "Your name is the first thing a stranger would try. Choose a password that is not your name."})
    if len(set(folded)) < FEWEST_DIFFERENT or folded in TRIED_FIRST:
        raise Invalid(
            {field: "This password is easy to guess. Three or four words that have nothing to do with each other are not."}
        )
    return password


def hash_password(password: str) -> str:
    with _two_at_a_time:
        hashed: str = get_hub().threadpool.apply(_hasher.hash, (_as_typed(password),))
    return hashed


def is_password(password: str, hashed: str) -> bool:
    """Takes as long for a wrong password as for a right one."""
    with _two_at_a_time:
        return bool(get_hub().threadpool.apply(_matches, (_as_typed(password), hashed)))


def _as_typed(password: str) -> str:
    """The same keys give the same password on every system; no more than MAX_LENGTH characters cost any time."""
    return unicodedata.normalize("NFKC", storable(password[: MAX_LENGTH + 1]))


def _matches(password: str, hashed: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
