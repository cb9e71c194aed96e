"""The engine's busiest modules as machine code, where setup could make some: the same sources, the same answers, a quarter less time.

They lie in a folder named after what they were made of. Whoever changes a source and does not compile it again is answered by the
source, never by what it used to be. `compiling` makes the folder.
"""

import os
import sys
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

MODULES = ("automaton", "cues", "folding", "reading", "scanning", "streams")
"""What every text goes through. Not what a publish goes through: machine code lets no other thread run until it is done."""
FOLDERS = Path(__file__).parents[2] / ".compiled"
SWITCH = "SCANNER"
"""The environment may say SCANNER=interpreted: then Python reads the sources."""


def sources() -> list[Path]:
    return [Path(__file__).with_name(f"{module}.py") for module in MODULES]


def folder() -> Path:
    """Where machine code of these very sources for this very Python lies, or would lie."""
    made_of = sha256(f"{sys.version} {EXTENSION_SUFFIXES[0]}".encode())
    for source in sources():
        made_of.update(source.read_bytes())
    return FOLDERS / made_of.hexdigest()[:20]


def first(path: list[str]) -> list[str]:
    """The package's search path, with the machine code before the sources if there is any."""
    return path if os.environ.get(SWITCH) == "interpreted" or not (found := folder()).is_dir() else [str(found), *path]
