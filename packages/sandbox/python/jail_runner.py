"""Serves one strategy over the jail's framing: u32 length, then {u8 callback, u8 0, u16 frames, u32 0} and ABI frames.

Arguments: folder of rumi_sdk, path of the strategy, SHA-256 that its bytes must have, folder and digest of its pack, whose
modules it imports only as they were approved; a digest that is empty holds none of them. Reply: u32 length, then {i32 status, u32 frames taken} and the
output records; a status below zero comes with one error_report that holds the tail of what went wrong. Several event
frames are taken in order until one says something (docs/formats/abi.md, "Jail").
The SDK's Host does the work; this file only carries bytes, as packages/runtime/src/strategy/process.ts expects them.
"""
import os
import sys
from struct import Struct

import approved_code

sys.path.insert(0, sys.argv[1])

from rumi_sdk import _generated as abi  # noqa: E402
from rumi_sdk._runner import Host, _LogWriter  # noqa: E402

# A request's length, callback and number of frames; a reply's length, status and frames taken.
_REQUEST = Struct("<IBxH4x")
_REPLY = Struct("<IiI")
_FRAMES_AT = _REQUEST.size
# Most requests come in one read.
_READ_BYTES = 65_536
_EVENT = abi.CALLBACK_EVENT


def take_pipes():
    """Moves the transport off 0 and 1: what the strategy writes there goes to the bounded log (no /dev/null in the jail)."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.dup2(2, 0)
    return source, sink


def take(source):
    """The next request, whole; b"" when the pipe has ended. The host sends none before the last one's answer."""
    request = os.read(source, _READ_BYTES)
    while len(request) < 4 or len(request) < 4 + int.from_bytes(request[:4], "little"):
        more = os.read(source, _READ_BYTES)
        if not more:
            return b""
        request += more
    return request


def main():
    source, sink = take_pipes()
    pack, digest = sys.argv[4:6]
    if digest:
        approved_code.hold(pack, lambda: approved_code.files_at(pack, digest))
    host = Host(sys.argv[2], sys.argv[3])
    sys.stdin = None
    sys.stdout = _LogWriter(host.ctx, abi.LOG_LEVEL_INFO)
    sys.stderr = _LogWriter(host.ctx, abi.LOG_LEVEL_WARNING)
    while request := take(source):
        _, callback, frames = _REQUEST.unpack_from(request)
        if callback == _EVENT:
            status, output, taken = host.events(memoryview(request)[_FRAMES_AT:], frames or 1)
        else:
            status, output = host.call(callback, request[_FRAMES_AT:])
            taken = 1
        reply = _REPLY.pack(len(output) + 8, status, taken) + output
        written = os.write(sink, reply)
        while written < len(reply):
            written += os.write(sink, memoryview(reply)[written:])
    os._exit(0)


main()
