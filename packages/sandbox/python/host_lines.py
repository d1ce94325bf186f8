"""What a block may ask of the program: the network, and capabilities. Over sockets that were connected before the block began.

A message is {u32 head length, u32 body length}, the head as JSON, the body as bytes; both ways alike, one at a time
(packages/platform/src/sockets/frames.ts is the other side). Nothing here decides anything: whoever speaks over a socket is
its pack, and the program judges each request. Everything is answered with a dict; nothing here raises for what was asked.
"""
import _thread
import json
import os
import struct

_READ_BYTES = 65_536
_BODY_BYTES = 1_048_576
_ERRNO = {2: "it does not exist", 13: "this process may not open it", 111: "nobody serves it"}


class NoSocket(Exception):
    pass


class Line:
    """Connections to one socket; each carries one message at a time, so calls of several threads go side by side."""

    def __init__(self, given):
        self._all = [(fd, _thread.allocate_lock()) for fd in given if fd >= 0]
        problems = [-fd for fd in given if fd < 0]
        self._problem = _ERRNO.get(problems[0], "error %d" % problems[0]) if problems else "this pack has none here"

    def ask(self, head, body=b""):
        """The answer's head and body; NoSocket where there is no connection (any more)."""
        text = json.dumps(head, allow_nan=False, ensure_ascii=False).encode("utf-8")
        fd, lock = self._take()
        try:
            _send(fd, struct.pack("<II", len(text), len(body)) + text + bytes(body))
            lengths = struct.unpack("<II", _receive(fd, 8))
            return json.loads(_receive(fd, lengths[0])), _receive(fd, lengths[1])
        except BaseException as problem:
            # What is left of an answer would be taken for the next one's.
            self._all = [one for one in self._all if one[0] != fd]
            os.close(fd)
            if isinstance(problem, OSError):
                raise NoSocket("the connection ended") from problem
            raise
        finally:
            lock.release()

    def _take(self):
        for fd, lock in self._all:
            if lock.acquire(False):
                return fd, lock
        while self._all:
            fd, lock = self._all[0]
            lock.acquire()
            if any(one[0] == fd for one in self._all):
                return fd, lock
            lock.release()
        raise NoSocket(self._problem)


def _send(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _receive(fd, length):
    parts = bytearray()
    while len(parts) < length:
        part = os.read(fd, min(_READ_BYTES, length - len(parts)))
        if not part:
            raise ConnectionError("the program ended the connection")
        parts += part
    return bytes(parts)


def _refused(error_type, problem, **more):
    return {"success": False, "error": problem, "error_type": error_type, **more}


def _text(body):
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


_program = Line([])


def program():
    """The line to what the program does for this pack."""
    return _program


def connect(egress, capability):
    """By whoever starts the process: the descriptors that the jail connected. The line to the network, and to the program."""
    global _program
    _program = Line(capability)
    return Line(egress), _program


class Capability:
    def __init__(self, line):
        self._line = line

    def call(self, permission_id, args=None, timeout_seconds=30, request_id=None):
        """{success, output, error, error_type, latency_ms}"""
        head = {
            "op": "capability_call",
            "permission_id": permission_id,
            "args": {} if args is None else args,
            "timeout_seconds": timeout_seconds,
            "request_id": request_id,
        }
        nothing = {"output": None, "latency_ms": 0}
        try:
            return {**nothing, **self._line.ask(head)[0]}
        except NoSocket as problem:
            return _refused("socket_not_found", "The capability socket cannot be used: %s." % problem, **nothing)
        except (TypeError, ValueError) as problem:
            return _refused("execution_error", "The call cannot be written as JSON: %s." % problem, **nothing)


class Context(dict):
    """The facts of a call are its items; what may be asked is there by item and by name, and is no part of its JSON."""

    def __init__(self, facts, asked):
        super().__init__(facts)
        self.__dict__.update(asked)

    def __missing__(self, name):
        return self.__dict__[name]

    def get(self, name, default=None):
        return self[name] if name in self else default

    def __contains__(self, name):
        return super().__contains__(name) or name in self.__dict__


def context_of(facts, egress, capability):
    """The facts of a call, with what the block may ask beside them."""

    def network_check(domain, port):
        """{allowed, denied_by, reason, domain, port}; counts nothing."""
        try:
            return egress.ask({"op": "network_check", "domain": domain, "port": port})[0]
        except NoSocket as problem:
            said = "The egress socket cannot be used: %s." % problem
            return {"domain": domain, "port": port, "allowed": False, "denied_by": "socket", "reason": said}
        except (TypeError, ValueError) as problem:
            return _refused("invalid_request", "The question cannot be written as JSON: %s." % problem)

    def http_request(method, url, headers=None, body=None, timeout_seconds=30):
        """{success, status_code, headers, body, latency_ms, redirect_hops, bytes_read, final_url}, or {success: False,
        error, error_type}. `body` is text (sent as UTF-8) or bytes; the answer's is text where it is UTF-8, else bytes."""
        if isinstance(body, str):
            body = body.encode("utf-8")
        if not isinstance(body, (bytes, bytearray, type(None))):
            return _refused("invalid_request", "The body is neither text nor bytes.")
        if len(body or b"") > _BODY_BYTES:
            return _refused("invalid_request", "The body has more than %d bytes." % _BODY_BYTES)
        head = {"op": "http_request", "method": method, "url": url, "timeout_seconds": timeout_seconds}
        if headers is not None:
            head["headers"] = headers
        try:
            answer, content = egress.ask(head, body or b"")
        except NoSocket as problem:
            return _refused("socket_not_found", "The egress socket cannot be used: %s." % problem)
        except (TypeError, ValueError) as problem:
            return _refused("invalid_request", "The request cannot be written as JSON: %s." % problem)
        if answer.get("success") is not True:
            return answer
        names = ("success", "status_code", "headers", "body", "latency_ms", "redirect_hops", "bytes_read", "final_url")
        return {name: _text(content) if name == "body" else answer[name] for name in names}

    asked = {"network_check": network_check, "http_request": http_request, "capability": Capability(capability)}
    return Context(facts, asked)
