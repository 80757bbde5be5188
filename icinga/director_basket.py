#!/usr/bin/env python3
"""Print the Director's basket: what duplicity-commands.conf and services.conf say, as JSON.

    icinga/director_basket.py > icinga/director-basket.json

The format is that of Director 1.8 to 1.11: ``BasketSnapshot``, ``IcingaArguments`` and
``DirectorDatafield`` of icingaweb2-module-director. Two things follow from it. In all of these
versions, only the value of an argument can be a function, not its ``set_if``. And the Director
finds an object without a UUID by its name, and a data field by its content, so a basket can be
restored twice.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any, Union

HERE = Path(__file__).parent
TYPES = "Icinga\\Module\\Director\\DataType\\DataType"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Value = Union[str, int, bool, dict[str, str]]
Attributes = dict[str, Value]


def blocks(text: str, head: str, indent: str = "") -> dict[str, str]:
    """Return the bodies of blocks ``head "name" {`` with that indentation, by name."""
    pattern = rf'^{indent}{head}"([^"]+)"(?: =)? {{\n(.*?)^{indent}}}$'
    return dict(re.findall(pattern, text, re.M | re.S))


def attributes(body: str) -> Attributes:
    """Return the assignments in a block, without those in its inner blocks."""
    indent = re.match(r"\s*", body)
    assert indent
    pattern = rf"^{indent[0]}([\w.]+) = (?:{{{{\n(.*?)^\s*}}}}|(\S[^\n]*)(?<!{{))$"
    return {
        name: {"type": "Function", "body": dedent(code).strip()} if code else constant(value)
        for name, code, value in re.findall(pattern, body, re.M | re.S)
    }


def constant(value: str) -> Value:
    """Return a string, number or Boolean for JSON; a time in seconds; anything else unchanged."""
    if time := re.fullmatch(r"(\d+)([smhd])", value):
        return int(time[1]) * SECONDS[time[2]]
    known = re.fullmatch(r'"[^"]*"|true|false|-?\d+', value)
    found: Value = json.loads(value) if known else value
    return found


def commands(text: str) -> dict[str, dict[str, Any]]:
    """Return the commands, each with its own arguments and those of its templates."""
    templates = blocks(text, "template CheckCommand ")
    common = attributes(templates["duplicity"])
    return {
        name: {
            "arguments": {
                key: attributes(argument)
                for part in (*imported(templates, body), body)
                for key, argument in blocks(part, "", "\t\t").items()
            },
            "command": str(common["command"]).strip('[ "]'),
            "methods_execute": "PluginCheck",
            "object_name": name,
            "object_type": "object",
            "timeout": str({**common, **attributes(body)}["timeout"]),
        }
        for name, body in blocks(text, "object CheckCommand ").items()
    }


def imported(templates: dict[str, str], body: str) -> list[str]:
    """Return the templates that a block imports, after those that they import themselves."""
    found = re.findall(r'^\s*import "([^"]+)"$', body, re.M)
    return [part for n in found for part in (*imported(templates, templates[n]), templates[n])]


def fields(text: str, command: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a command's data fields: one for each argument, and those of other variables."""
    found = [
        field(re.sub(r"\$", "", str(a.get("value", a.get("set_if")))), key, a)
        for key, a in command["arguments"].items()
        if key != "PLUGIN"
    ]
    others = re.findall(r"^ \*   (duplicity_\w+) +(.+)$", text, re.M)
    return found + [field(name, name, {"description": what}) for name, what in others]


def field(variable: str, caption: str, argument: Attributes) -> dict[str, Any]:
    """Return a data field, for which the Director asks."""
    kind = "String"
    if "set_if" in argument:
        kind = "Boolean"
    elif variable == "duplicity_timeout":
        kind = "Number"
    elif "order" in argument or "repeat_key" in argument:
        kind = "Array"
    return {
        "varname": variable,
        "caption": f"{caption} ({variable})" if caption != variable else caption,
        "description": argument["description"],
        "datatype": TYPES + kind,
        "format": None,
        "settings": {"visibility": "visible"} if kind == "String" else {},
    }


def service_templates(text: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return a service template for each command, which the agent runs."""
    found = blocks(text, "template Service ")
    (docs,) = re.findall(r'^const DuplicityDocs = "(.+)"$', text, re.M)
    templates = {}
    for command in names:
        name = command.replace("_", "-")
        own = {**attributes(found["duplicity"]), **attributes(found[name])}
        own["notes_url"] = str(own["notes_url"]).replace('DuplicityDocs + "', docs).rstrip('"')
        templates[name] = {
            **{key: str(value) for key, value in own.items()},
            "check_command": command,
            "object_name": name,
            "object_type": "template",
            "use_agent": True,
            "fields": [],
        }
    return templates


def basket() -> dict[str, dict[str, Any]]:
    """Return the whole basket."""
    text = (HERE / "duplicity-commands.conf").read_text()
    found = commands(text)
    known: list[dict[str, Any]] = []
    for command in found.values():
        asked = fields(text, command)
        known += [one for one in asked if one not in known]
        command["fields"] = [
            {"datafield_id": known.index(one) + 1, "is_required": "n", "var_filter": None}
            for one in asked
        ]
    return {
        "Command": found,
        "ServiceTemplate": service_templates((HERE / "services.conf").read_text(), [*found]),
        "Datafield": {str(number): one for number, one in enumerate(known, 1)},
    }


if __name__ == "__main__":
    print(json.dumps(basket(), indent=4))
