"""What Grafana makes of a query before PostgreSQL sees it, rebuilt from its documentation.

First the page puts the variables in ($version, ${version:sqlstring}, $interval), then the server
the macros ($__timeFilter(…)). A macro's arguments end at the first closing parenthesis; an unknown
macro is an error, as is a variable that nobody defined.
"""

import re
from datetime import UTC

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class MacroError(Exception):
    """Grafana would refuse this query."""


def expand(query, since, until, variables=None):
    """The query as PostgreSQL gets it.

    Args:
        variables: Name to value; None is All of a variable whose `allValue` is NULL.
    """
    return _expand_macros(_put_in(query, variables or {}), _written(since), _written(until))


def _put_in(query, variables):
    def value(match):
        name = match[1] or match[2]
        if name.startswith("__"):
            return match[0]
        if name not in variables:
            raise MacroError(f"Nobody defined ${name}.")
        chosen, form = variables[name], match[3]
        if chosen is None:
            return "NULL"
        return "'" + chosen.replace("'", "''") + "'" if form == "sqlstring" else chosen

    return _VARIABLE.sub(value, query)


def _expand_macros(query, since, until):
    def expansion(match):
        name, arguments = match[1], [each.strip() for each in match[2].split(",")]
        if name == "__timeGroup" and query[match.end() : match.end() + 1] == ",":
            name = "__timeGroupAlias"
        return _macro(name, arguments, since, until)

    expanded = _MACRO.sub(expansion, query)
    if "$" in expanded:
        raise MacroError(f"Something is left of a macro: {expanded}")
    return expanded


def _macro(name, arguments, since, until):
    match name:
        case "__timeFrom":
            return f"'{since}'"
        case "__timeTo":
            return f"'{until}'"
        case "__timeFilter":
            return f"{arguments[0]} BETWEEN '{since}' AND '{until}'"
        case "__timeGroup":
            seconds = _seconds(arguments[1])
            return f"floor(extract(epoch from {arguments[0]})/{seconds})*{seconds}"
        case "__timeGroupAlias":
            return _macro("__timeGroup", arguments, since, until) + ' AS "time"'
    raise MacroError(f"There is no macro ${name}.")


def _seconds(interval):
    found = re.fullmatch(r"'?(\d+)([smhdw])'?", interval)
    if not found:
        raise MacroError(f"No interval: {interval}")
    return int(found[1]) * _UNITS[found[2]]


def _written(at):
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
