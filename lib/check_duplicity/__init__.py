"""Shared library of the check-duplicity plugins: each package answers one question.

``docs/development.rst`` has the plan.
"""

__version__ = "1.0.0"
