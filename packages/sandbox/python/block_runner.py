"""Serves the Python blocks of one pack over the jail's framing: u32 length, then that many bytes, both ways.

Arguments: the pack's folder, the paths of its egress and capability sockets, empty where it has none, what the use of
something deprecated does (core_runtime/deprecation.py), then the folders of libraries that it may import. A request is
{u8 more} and a part of JSON text; a part with more to come is answered by an empty frame. The last part makes the request whole: {"file", "input", "context"}, for a capability handler also "function"
and "context_first". The answer is {u8 more} and a part of
{"ok": true, "output": …} or {"ok": false, "error": …, "error_type": …}; each further part is asked for with an empty frame.
Each call gets a module of its own; only its compiled code is kept (packages/platform/src/flows/blocks.ts is the host).
The first request is {"files": {path: SHA-256}} or {"files": null}: a file below the pack's folder is compiled only from bytes that
have this hash, so an edit between its verification and its import is never executed.
"""
import inspect
import json
import os
import sys
import traceback

import approved_code
import host_lines
from core_runtime import deprecation

_ROOT = sys.argv[1]
# What the jail connected before it took every socket call away.
_EGRESS, _CAPABILITY = host_lines.connect(*(JAIL_SOCKETS.get(path, []) for path in sys.argv[2:4]))
deprecation.set_level(sys.argv[4])
_LIBRARIES = sys.argv[5:]
_PART_BYTES = 1_000_000
_READ_BYTES = 65_536
_ERROR_CHARACTERS = 2_000
_codes = {}


def _checked(_, data):
    return data


def approve(files):
    global _checked
    if files is not None:
        _checked = approved_code.hold(_ROOT, lambda: files)


def take_pipes():
    """Moves the transport off 0 and 1: what a block writes there goes to the bounded log (no /dev/null in the jail)."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.dup2(2, 0)
    return source, sink


def take(source):
    """The next frame's bytes; None when the pipe has ended. The host sends none before the last one's answer."""
    frame = b""
    while len(frame) < 4 or len(frame) < 4 + int.from_bytes(frame[:4], "little"):
        more = os.read(source, _READ_BYTES)
        if not more:
            return None
        frame += more
    return frame[4:]


def give(sink, part):
    frame = len(part).to_bytes(4, "little") + part
    written = os.write(sink, frame)
    while written < len(frame):
        written += os.write(sink, memoryview(frame)[written:])


def loaded(file, name):
    """The file's module, fresh; its function of that name."""
    path = os.path.join(_ROOT, file)
    code = _codes.get(path)
    if code is None:
        with open(path, "rb") as source:
            code = compile(_checked(path, source.read()), path, "exec")
        _codes[path] = code
    sys.path[0:2] = [os.path.dirname(path), _ROOT]
    scope = {"__name__": "block", "__file__": path, "__builtins__": __builtins__}
    exec(code, scope)
    run = scope.get(name)
    if not callable(run):
        raise TypeError("the file has no function %s" % name)
    return run


def places(run):
    """How many of its two arguments it takes by position."""
    kinds = [parameter.kind for parameter in inspect.signature(run).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 2
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, sum(kind in by_position for kind in kinds))


def answer(request):
    try:
        if "files" in request:
            return json.dumps({"ok": True, "output": approve(request["files"])}).encode("ascii")
        run = loaded(request["file"], request.get("function", "run"))
        given = (request["input"], host_lines.context_of(request["context"], _EGRESS, _CAPABILITY))
        output = run(*(given[::-1] if request.get("context_first") else given)[: places(run)])
        return json.dumps({"ok": True, "output": output}, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except BaseException as problem:
        where = traceback.extract_tb(problem.__traceback__)[-1]
        text = "%s: %s (%s, line %s)" % (type(problem).__name__, problem, os.path.basename(where.filename), where.lineno)
        refusal = {"ok": False, "error": text[:_ERROR_CHARACTERS], "error_type": type(problem).__name__}
        return json.dumps(refusal).encode("ascii")


def main():
    source, sink = take_pipes()
    sys.path[0:0] = [_ROOT, _ROOT]
    sys.path.extend(_LIBRARIES)
    text = b""
    while (frame := take(source)) is not None:
        text += frame[1:]
        if frame[0]:
            give(sink, b"")
            continue
        request, text = json.loads(text), b""
        given = answer(request)
        at = 0
        while True:
            part = given[at : at + _PART_BYTES]
            at += len(part)
            give(sink, bytes([at < len(given)]) + part)
            if at >= len(given) or take(source) is None:
                break
    os._exit(0)


main()
