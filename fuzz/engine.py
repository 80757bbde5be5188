"""Run one target in libFuzzer: engine.py TARGET LIBFUZZER_ARGUMENT..."""

from __future__ import annotations

import shlex
import sys

import atheris

with atheris.instrument_imports(include=["check_duplicity"]):
    import check_duplicity.jobs.see  # noqa: F401  # what targets import is instrumented with it
    from targets import TARGETS

name = sys.argv[1]
# To merge inputs, libFuzzer starts its own program again, in a shell: argv[0] is that command.
itself = shlex.join([sys.executable, __file__, name])
atheris.Setup([itself, *sys.argv[2:]], TARGETS[name].run)
atheris.Fuzz()
