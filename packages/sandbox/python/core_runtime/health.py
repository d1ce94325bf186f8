"""Health of a pack's own things, put together by the rule of the program: DOWN before DEGRADED before UNKNOWN before UP.

A probe is a function that answers a HealthStatus. One that raises is DOWN, one that is not done in time is UNKNOWN and nobody
waits for it. What `aggregate_health` finds is told to the program, which shows it beside its own (packages/platform/src/runtime).
"""
import enum
import re
import threading

import host_lines

PROBES_MAX = 16
PROBE_SECONDS = 3.0
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}\Z")


class HealthStatus(str, enum.Enum):
    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    UNKNOWN = "UNKNOWN"


_WORST_FIRST = (HealthStatus.DOWN, HealthStatus.DEGRADED, HealthStatus.UNKNOWN, HealthStatus.UP)


_WORDS = [one.value for one in _WORST_FIRST]


class HealthChecker:
    def __init__(self):
        self._probes = {}

    def register_probe(self, name, probe):
        """Another probe under the same name takes its place."""
        if not isinstance(name, str) or not _NAME.match(name):
            raise ValueError("a probe's name is small letters, digits, _ . and -, at most 64: %r" % (name,))
        if not callable(probe):
            raise TypeError("a probe is a function that answers a HealthStatus")
        if name not in self._probes and len(self._probes) >= PROBES_MAX:
            raise ValueError("there are %d probes already, which is the most" % PROBES_MAX)
        self._probes[name] = probe

    def unregister_probe(self, name):
        self._probes.pop(name, None)

    def aggregate_health(self):
        """{status, probes: {name: status}, reported}; of no probe nothing is known."""
        found = {name: _answer(probe) for name, probe in list(self._probes.items())}
        status = next((one for one in _WORST_FIRST if one in found.values()), HealthStatus.UNKNOWN)
        probes = {name: one.value for name, one in found.items()}
        return {"status": status.value, "probes": probes, "reported": _reported(probes)}


def _answer(probe):
    said = []

    def ask():
        try:
            came = probe()
        except BaseException:
            came = HealthStatus.DOWN
        said.append(HealthStatus(came) if came in _WORDS else HealthStatus.UNKNOWN)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return said[0] if said else HealthStatus.UNKNOWN


def _reported(probes):
    if not probes:
        return False
    try:
        return host_lines.program().ask({"op": "health_report", "probes": probes})[0].get("success") is True
    except host_lines.NoSocket:
        return False


def probe_disk_space(path="/"):
    """The disk that the program's home is on: a box has none of its own, whatever the path. UNKNOWN where nobody can say."""
    return _of_host("disk")


def probe_writable_tmp():
    """The host's temporary folder, as the program finds it."""
    return _of_host("writable_tmp")


def _of_host(name):
    try:
        answer = host_lines.program().ask({"op": "host_health"})[0]
    except host_lines.NoSocket:
        return HealthStatus.UNKNOWN
    return HealthStatus(answer.get("probes", {}).get(name, "UNKNOWN"))


_checker = HealthChecker()


def get_health_checker():
    return _checker
