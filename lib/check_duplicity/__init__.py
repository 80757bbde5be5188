"""Shared library of the check-duplicity plugins.

The data's way is see, read, judge, tell: ``destination`` and ``archive`` see, ``names`` and
``status`` read text into the values of ``collection``, ``freshness`` judges them, ``advice`` and
``output`` tell the operator.
"""

__version__ = "0.1.0"
