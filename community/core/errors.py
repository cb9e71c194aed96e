"""Refusals: each carries one sentence the person can read and act on."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """Something asked for will not be done. `sentence` is shown as it is; nothing was stored."""

    status = 400
    code = "refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotFound(Refused):
    """Missing, or the person must not learn that it exists: both sound alike."""

    status = 404
    code = "not-found"

    def __init__(self, sentence: str = "There is nothing here that you can see. It may have been moved or removed.") -> None:
        super().__init__(sentence)


class Forbidden(Refused):
    status = 403
    code = "forbidden"


class SignInNeeded(Refused):
    status = 401
    code = "sign-in"

    def __init__(self, sentence: str = "Please sign in first.") -> None:
        super().__init__(sentence)


class Conflict(Refused):
    """The thing changed meanwhile. The sentence says what changed."""

    status = 409
    code = "conflict"


class TooMany(Refused):
    status = 429
    code = "too-many"


class Invalid(Refused):
    """What was typed cannot be taken; `fields` maps a form field to its sentence."""

    status = 422
    code = "invalid"

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(" ".join(self.fields.values()))
