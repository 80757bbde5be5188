"""Built from setup.cfg, in a temporary folder: nothing is left beside the sources."""

import atexit
import shutil
import tempfile

from setuptools import setup

place = tempfile.mkdtemp(prefix="check-duplicity-build-")
atexit.register(shutil.rmtree, place, ignore_errors=True)
setup(options={"build": {"build_base": place}, "egg_info": {"egg_base": place}})
