"""`python -m community.safety.compiling`: the modules of `compiled` become machine code, by Cython and the machine's C compiler.

`make setup` runs it. Where there is no compiler, or no Python headers, it says so and the engine stays as it is: a little slower.
"""

import os
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from pathlib import Path

from community.safety import compiled

FLAGS = "-O2 -g0"
"""Beside Python's own: what optimising further or remembering lines costs at setup comes back nowhere."""


def main() -> None:
    made = compiled.folder()
    if made.is_dir():
        return
    print("Compiling the scanner (once; about half a minute) …", flush=True)
    with tempfile.TemporaryDirectory(prefix="kith-compile-") as folder:
        built = Path(folder) / "built"
        said = _build(Path(folder), built)
        if said:
            print(f"The scanner stays in Python, a little slower; it finds the same. The compiler said: {said}")
            return
        compiled.FOLDERS.mkdir(exist_ok=True)
        for older in compiled.FOLDERS.iterdir():
            shutil.rmtree(older, ignore_errors=True)
        shutil.move(built, made)


def _build(folder: Path, built: Path) -> str:
    """The last of what went wrong, or "" once `built` holds every module."""
    run = [sys.executable, "-c", _SETUP, str(folder), str(built), *map(str, compiled.sources())]
    environment = {**os.environ, "CFLAGS": FLAGS}
    ran = subprocess.run(run, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # nosec B603
    return "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["nothing"])[-1]


_SETUP = """
import shutil, sys
from pathlib import Path
from Cython.Build import cythonize
from setuptools import Distribution, Extension
folder, built, *sources = map(Path, sys.argv[1:])
for source in sources:
    shutil.copy(source, folder)
made = [Extension(f"community.safety.{source.stem}", [source.name]) for source in sources]
made = cythonize(made, language_level=3, compiler_directives={"annotation_typing": False})
command = Distribution({"ext_modules": made}).get_command_obj("build_ext")
command.build_lib, command.build_temp, command.parallel = str(folder / "lib"), str(folder / "temp"), 2
command.ensure_finalized()
command.run()
shutil.move(folder / "lib" / "community" / "safety", built)
"""


if __name__ == "__main__":
    main()
