"""Parsing what an admin typed about a rule. Every problem is named at once, beside its field, and by its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from community.core import text
from community.core.errors import Invalid
from community.safety import CONCERNS, KINDS, SEVERITIES, VIEWS, Lexicon, PatternError, Rule, check_rule, fold
from community.safety.checks import MAX_EXAMPLE

from .packs import ORIGINS, Choice, Incoming

MAX_NOTE = 300
MAX_OWNER = 60
MAX_TRIED = 20_000
WORD_VIEWS = tuple(view for view in VIEWS if view not in ("inside", "regex"))
"""The views a rule of words may leave out; the other kinds of pattern have one view each."""
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_KEY_SAYS = "The short name can have up to 80 small letters a-z, digits, dots and hyphens, such as plans-tonight."
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_LISTS = ("profiles", "views")
_LINES = {
    "must_match": "the sentences it must notice",
    "must_not_match": "the sentences it must leave alone",
    "exceptions": "the exceptions",
}

# Which field a sentence of `check_rule` is about; the others are about the pattern.
_ABOUT = (
    ("must match and does not", "must_match"),
    ("must not match and does", "must_not_match"),
    ("stands in both lists", "must_not_match"),
    ("The exceptions silence", "exceptions"),
    ("example", "must_match"),
    ("The reason is longer", "why"),
    ("no concern", "concern"),
    ("no severity", "severity"),
    ("no action", "action"),
    ("no kind of pattern", "kind"),
    ("no kind of room", "rooms_of"),
    ("silent in rooms of every kind", "rooms_of"),
    ("no view", "views"),
    ("no date", "review_by"),
)


def typed_in(form: MultiDict[str, str]) -> dict[str, Any]:
    """A form as the page shows it again: words as typed, ticks as lists."""
    return {**form.to_dict(), **{name: form.getlist(name) for name in _LISTS}}


def text_to_try(typed: str) -> str:
    if len(typed) > MAX_TRIED:
        raise Invalid(
            {
                "text": f"This is {len(typed):,} characters long and {MAX_TRIED:,} can be tried at once. Nothing was read: shorten it."
            }
        )
    return typed


def rule_from(form: Mapping[str, Any], *, former: Rule | None, rooms: Collection[int], rules: Mapping[str, Rule]) -> Rule:
    """A sound rule, or Invalid with a sentence for each field. `former` is the rule being edited: its key stays.
    A new rule that says exactly what one of `rules` says is that one: a form sent twice makes one rule."""
    problems: dict[str, str] = {}
    key = former.key if former else _key(form, rules, problems)
    rule = _as_told(form, key, former, _room(form, rooms, problems))
    rule = replace(rule, **_manners(form, former, rule.kind, problems))
    twin = next((known for known in rules.values() if replace(known, key=key) == rule), None)
    if twin is not None and former is None and not problems.keys() - {"key"}:
        return twin
    problems = _problems_of(rule, form) | problems
    if problems:
        raise Invalid(problems)
    return rule


def _as_told(form: Mapping[str, Any], key: str, former: Rule | None, room: int | None) -> Rule:
    kind = form.get("kind", former.kind if former else "phrase")
    return Rule(
        key=key,
        pattern=_pattern(form.get("pattern", ""), kind),
        concern=form.get("concern", ""),
        severity=form.get("severity", ""),
        action=form.get("action", ""),
        why=text.storable(form.get("why", "")).strip(),
        must_match=lines_of(form.get("must_match", "")),
        must_not_match=lines_of(form.get("must_not_match", "")),
        exceptions=lines_of(form.get("exceptions", "")),
        room=room,
        kind=kind,
    )


# ---- the pattern: one phrase a line


def _pattern(typed: str, kind: str) -> str:
    """Each line is an alternative of its own, unless a bracket is still open; a regular expression stays as it is."""
    if kind == "regex":
        return text.storable(typed).strip()
    return " | ".join(entry for _, entry in _entries(typed))


def _entries(typed: str) -> Iterator[tuple[int, str]]:
    """The alternatives of a pattern with the number of the line on which each begins."""
    first, words, depth = 0, "", 0
    for number, line in enumerate(text.storable(typed).split("\n"), 1):
        line = " ".join(line.split())
        if not words:
            first = number
        joined = depth > 0 or words.endswith("|") or line.startswith("|")
        if words and line and not joined:
            yield first, words
            first, words = number, ""
        words = f"{words} {line}".strip()
        depth = words.count("(") + words.count("[") - words.count(")") - words.count("]")
    if words:
        yield first, words


def as_lines(rule: Rule) -> str:
    """The pattern as the form shows it: the alternatives that were typed as lines are lines again."""
    if rule.kind == "regex":
        return rule.pattern
    lines, depth = [""], 0
    for part in re.split(r"( \| |[()\[\]])", rule.pattern):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        if part == " | " and depth == 0:
            lines.append("")
        else:
            lines[-1] += part
    return "\n".join(lines)


# ---- kinds of room, views, language, owner, review date


def _manners(form: Mapping[str, Any], former: Rule | None, kind: str, problems: dict[str, str]) -> dict[str, Any]:
    """What a form that does not ask leaves as it was."""
    told = {
        name: getattr(former, name)
        for name in ("views", "language", "only_in", "not_in", "owner", "review_by")
        if former is not None
    }
    if "rooms_of" in form:
        told |= _kinds_of_room(form, problems)
    if "language" in form:
        told["language"] = _language(form["language"].strip() or "en", problems)
    if "owner" in form:
        told["owner"] = _owner(form["owner"], problems)
    if "review_by" in form:
        told["review_by"] = _day(form["review_by"].strip(), problems)
    if "views_asked" in form:
        told["views"] = _views(form, problems) if kind == "phrase" else None
    return told


def _kinds_of_room(form: Mapping[str, Any], problems: dict[str, str]) -> dict[str, tuple[str, ...]]:
    ticked, how = tuple(form.get("profiles", ())), form["rooms_of"]
    if how not in ("every", "only", "not"):
        problems["rooms_of"] = "Choose in which kinds of rooms the rule speaks."
    elif how == "every" and ticked:
        problems["rooms_of"] = "You ticked kinds of rooms: say whether the rule is only for them, or for all others."
    elif how != "every" and not ticked:
        problems["rooms_of"] = "Tick the kinds of rooms that you mean, or choose rooms of every kind."
    return {"only_in": ticked if how == "only" else (), "not_in": ticked if how == "not" else ()}


def _views(form: Mapping[str, Any], problems: dict[str, str]) -> tuple[str, ...] | None:
    ticked = tuple(view for view in VIEWS if view in form.get("views", ()))
    if not ticked:
        problems["views"] = "Tick at least one: a rule that looks at nothing notices nothing."
    return None if set(ticked) >= set(WORD_VIEWS) else ticked


def _language(typed: str, problems: dict[str, str]) -> str:
    if not _LANGUAGE.fullmatch(typed):
        problems["language"] = "Write the language as two or three small letters, such as en or de."
    return typed[:8]


def _owner(typed: str, problems: dict[str, str]) -> str:
    if text.is_blank(typed):
        return ""
    try:
        return text.line_of(typed, field="owner", limit=MAX_OWNER, what="the owner")
    except Invalid as problem:
        problems |= problem.fields
        return ""


def _day(typed: str, problems: dict[str, str]) -> str:
    try:
        return date.fromisoformat(typed).isoformat() if typed else ""
    except ValueError:
        problems["review_by"] = f"“{typed[:40]}” is no day of the calendar: write it as 2027-03-31."
        return ""


def _key(form: Mapping[str, Any], taken: Mapping[str, Rule], problems: dict[str, str]) -> str:
    """As typed; when left empty, made from the concern and the first words of the pattern."""
    typed = form.get("key", "").strip()
    if typed and not _KEY.fullmatch(typed):
        problems["key"] = _KEY_SAYS
    if typed in taken:
        problems["key"] = f"There is already a rule called “{typed}”. Choose another short name, or edit that rule."
    return typed or _made_key(form, taken)


def _made_key(form: Mapping[str, Any], taken: Mapping[str, Rule]) -> str:
    words = re.findall("[a-z0-9]+", fold(form.get("pattern", "")[:200]))[:5]
    stem = "-".join([form.get("concern", "") if form.get("concern") in CONCERNS else "rule", *words])[:70]
    return next(key for key in (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))) if key not in taken)


def _room(form: Mapping[str, Any], rooms: Collection[int], problems: dict[str, str]) -> int | None:
    typed = form.get("room", "")
    if not typed:
        return None
    if typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) in rooms:
        return int(typed)
    problems["room"] = "Choose a room from the list, or every room."
    return None


def _problems_of(rule: Rule, form: Mapping[str, Any]) -> dict[str, str]:
    """The sentences of the safety engine beside the field they are about, each with its line."""
    problems: dict[str, str] = {}
    for field, wrong in (("exceptions", _wrong_exception(form)), ("pattern", _wrong_line(rule, form))):
        if wrong:
            problems[field] = wrong
    sound = replace(rule, exceptions=() if "exceptions" in problems else rule.exceptions)
    for sentence in check_rule(sound) if "pattern" not in problems else _but_the_pattern(sound):
        field = next((field for words, field in _ABOUT if words in sentence), "pattern")
        sentence = _with_line(field, sentence, form)
        problems[field] = f"{problems[field]} {sentence}" if field in problems else sentence
    return problems


def _wrong_exception(form: Mapping[str, Any]) -> str:
    """An exception is read as words, whatever the kind of the rule."""
    wrong = _first_wrong(_numbered(form.get("exceptions", "")), "phrase")
    return "Line {} of the exceptions: {}".format(*wrong) if wrong else ""


def _wrong_line(rule: Rule, form: Mapping[str, Any]) -> str:
    """The first line of a pattern of several lines that cannot be read by itself."""
    if rule.kind == "regex":
        lines = rule.pattern.split("\n")
        return "Line 2: a regular expression stands on one line. Put a | between alternatives." if len(lines) > 1 else ""
    entries = list(_entries(form.get("pattern", "")))
    wrong = _first_wrong(entries, rule.kind) if len(entries) > 1 and rule.kind in KINDS else None
    return "Line {}: {}".format(*wrong) if wrong else ""


def _first_wrong(lines: Sequence[tuple[int, str]], kind: str) -> tuple[str, str] | None:
    """The number of a line that cannot be read, and why. All are read at once: a vocabulary for each of ten thousand took a minute."""
    try:
        Lexicon.compile(Rule(str(number), line, CONCERNS[0], SEVERITIES[0], kind=kind) for number, line in lines)
    except PatternError as error:
        number, _, wrong = str(error).partition(": ")
        return number, wrong
    return None


def _but_the_pattern(rule: Rule) -> list[str]:
    """What is wrong beside a pattern that cannot be read: its examples are not asked then."""
    return check_rule(replace(rule, kind="phrase", pattern="word", must_match=(), must_not_match=(), exceptions=()))


def _with_line(field: str, sentence: str, form: Mapping[str, Any]) -> str:
    """“Line 2 of the sentences …”, where the sentence is about an example that stands on a line."""
    if field not in ("must_match", "must_not_match"):
        return sentence
    for number, line in _numbered(form.get(field, "")):
        if sentence.startswith(f"“{line}”") or ("longer than" in sentence and len(line) > MAX_EXAMPLE):
            return f"Line {number} of {_LINES[field]}: {sentence}"
    return sentence


def _numbered(typed: str) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers as the form shows them."""
    lines = ((number, line.strip()) for number, line in enumerate(text.storable(typed).split("\n"), 1))
    return [(number, line) for number, line in lines if not text.is_blank(line)]


def lines_of(typed: str) -> tuple[str, ...]:
    """One entry a line, without blank lines and repeats."""
    return tuple(dict.fromkeys(line for _, line in _numbered(typed)))


def note_from(form: Mapping[str, Any], otherwise: str) -> str:
    """What changed, for the history; made up when left empty."""
    typed = form.get("note", "")
    if text.is_blank(typed):
        return otherwise
    return text.line_of(typed, field="note", limit=MAX_NOTE, what="the note")


def as_typed(rule: Rule) -> dict[str, Any]:
    """A rule as the form shows it."""
    return {
        "key": rule.key, "pattern": as_lines(rule), "kind": rule.kind, "concern": rule.concern, "severity": rule.severity,
        "action": rule.action, "why": rule.why, "must_match": "\n".join(rule.must_match),
        "must_not_match": "\n".join(rule.must_not_match), "exceptions": "\n".join(rule.exceptions), "room": str(rule.room or ""),
        "rooms_of": "only" if rule.only_in else "not" if rule.not_in else "every", "profiles": [*rule.only_in, *rule.not_in],
        "views": list(rule.views or VIEWS), "language": rule.language, "owner": rule.owner, "review_by": rule.review_by,
    }  # fmt: skip


BLANK: dict[str, Any] = {
    "kind": "phrase", "severity": "amber", "action": "flag", "rooms_of": "every", "profiles": [], "views": list(VIEWS),
    "language": "en",
}  # fmt: skip


# ---- packs

MAX_NAME = 80


def export_from(form: MultiDict[str, str], languages: Collection[str]) -> tuple[Choice, str]:
    """What to share, and who signs it off."""
    (name, version, by) = text.gather(
        lambda: text.line_of(form.get("name"), field="name", limit=MAX_NAME, what="the name"),
        lambda: text.line_of(form.get("version"), field="version", limit=20, what="the version"),
        lambda: text.line_of(form.get("by"), field="by", limit=MAX_NAME, what="who signs it off"),
    )
    language, note = form.get("language", ""), " ".join(text.storable(form.get("note", "")).split())
    if language not in languages:
        raise Invalid({"language": "Choose a language from the list."})
    if len(note) > MAX_NOTE:
        raise Invalid({"note": f"The note can have {MAX_NOTE} characters; this has {len(note):,}."})
    concerns = tuple(concern for concern in CONCERNS if concern in form.getlist("concern"))
    if not concerns:
        raise Invalid({"concern": "Tick at least one concern."})
    origin = form.get("origin", "all")
    if origin not in ORIGINS:
        raise Invalid({"origin": "Choose which rules from the list."})
    return Choice(name, version, language, note, concerns, origin, "learned" in form), by


def pack_from(pasted: str, file: FileStorage | None) -> str:
    """The text of a pack, uploaded or pasted."""
    if file is None or not file.filename:
        typed = text.storable(pasted)
        if text.is_blank(typed):
            raise Invalid({"pack": "Choose a file, or paste a pack here."})
        return typed
    raw = file.stream.read()
    try:
        return text.storable(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Invalid({"pack": "This file is no text in UTF-8. A pack is a TOML file that a text editor can open."}) from error


def choices_from(form: MultiDict[str, str], incoming: Collection[Incoming]) -> dict[str, str]:
    """Mine or theirs, for every conflict. A conflict without an answer is a question, not a guess."""
    choices = {entry.theirs.key: form.get(f"choice-{entry.theirs.key}", "") for entry in incoming if entry.is_asked}
    missing = [key for key, choice in choices.items() if choice not in ("mine", "theirs")]
    if missing:
        raise Invalid({f"choice-{key}": f"Choose for “{key}”: keep yours or take theirs." for key in missing[:5]})
    return choices
