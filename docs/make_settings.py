"""Prints docs/settings.md from config.py: `python -m docs.make_settings > docs/settings.md`. A test compares the two."""

from __future__ import annotations

from config import HERE, Config

HEAD = """# Settings

All come from the environment. Kith reads them once at start and refuses to start on nonsense, naming the setting.

| setting | default | what it does |
|---|---|---|
"""


def table() -> str:
    return HEAD + "".join(_row(name) for name in Config.model_fields)


def _row(name: str) -> str:
    field = Config.model_fields[name]
    default = field.default
    shown = "" if str(default) in ("", "**********") else str(default).replace(str(HERE) + "/", "")
    return f"| `{name.upper()}` | {f'`{shown}`' if shown else '(empty)'} | {field.description} |\n"


if __name__ == "__main__":
    print(table(), end="")
