"""How Sphinx builds these pages: ``make docs``.

The pages are to be read on a code host as well. So a page links to another by its file
(``jobs.rst``), and here that becomes a link to the built page. A file that isn't there is an error.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).parent
project = "check-duplicity"
copyright = "The check-duplicity authors"  # noqa: A001 - Sphinx calls it that
version = release = re.findall(
    r'__version__ = "(.+)"', (HERE.parent / "lib" / "check_duplicity" / "__init__.py").read_text()
)[0]
exclude_patterns = ["man", "bash-completion"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1080px", "sidebar_width": "260px"}
html_show_sphinx = False
# Files beside this folder that pages include, and the pages that do.
INCLUDED = {
    "../SECURITY.rst": "security",
    "../CHANGELOG.rst": "changes",
    "../icinga/README.rst": "icinga-files",
}


def link_pages(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Let a link to a page's file lead to the built page."""
    for link in tree.findall(nodes.reference):
        target = str(link.get("refuri", ""))
        if not target.endswith(".rst") or "://" in target:
            continue
        page = INCLUDED.get(target, target.removesuffix(".rst"))
        if not (HERE / f"{page}.rst").exists():
            logging.getLogger(__name__).warning("%s.rst links to %s: no such page", name, target)
        link["refuri"] = f"{page}.html"


def setup(app: Sphinx) -> None:
    """Be called by Sphinx."""
    app.connect("doctree-resolved", link_pages)
