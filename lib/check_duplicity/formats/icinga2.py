"""Write the answer as the body of Icinga 2's ``/v1/actions/process-check-result``.

The fields are those of "Icinga 2 API, process-check-result" (2.13): ``ttl`` is the number of
seconds after which Icinga runs its own check if no other result has come. A filter with variables
selects the object, so that Icinga can't read a name as part of the filter.
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
