"""The answer as the body of Icinga 2's ``/v1/actions/process-check-result``.

Fields as in "Icinga 2 API, process-check-result" (2.13): ``ttl`` are the seconds after which Icinga
makes its own check if no other result has come. The object is named by a filter with variables,
so that no name in it can be read as more of the filter.
"""

from __future__ import annotations

import json

from check_duplicity.formats.model import MISSED, Form
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.measures import in_graphs
from check_duplicity.nagios.output import output


def text(answer: Answer, form: Form) -> str:
    """Return the body, in one line."""
    said = output(answer._replace(measures=()), quiet=form.quiet).text.rstrip("\n")
    body = {
        "type": "Service",
        "filter": "host.name == wanted_host && service.name == wanted_service",
        "filter_vars": {"wanted_host": form.host, "wanted_service": form.service},
        "exit_status": int(answer.state),
        "plugin_output": said,
        "performance_data": in_graphs(answer.measures).split(),
        "check_source": form.host,
        "ttl": MISSED * form.interval,
    }
    return json.dumps(body) + "\n"
