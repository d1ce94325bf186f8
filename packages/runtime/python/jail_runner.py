"""Serves one strategy over the jail's framing: u32 length, then {u8 callback, 7 zero bytes} and one ABI frame.

Arguments: folder of rumi_sdk, path of the strategy. Reply: u32 length, then {i32 status, 4 zero bytes} and
the output records; a status below zero comes with one error_report that holds the tail of what went wrong.
The SDK's Host does the work; this file only carries bytes, as packages/runtime/src/strategy/process.ts expects them.
"""
import os
import sys

sys.path.insert(0, sys.argv[1])

from rumi_sdk import _generated as abi  # noqa: E402
from rumi_sdk._runner import Host, _LogWriter  # noqa: E402


def take_pipes():
    """Moves the transport off 0 and 1: what the strategy writes there goes to the bounded log (no /dev/null in the jail)."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.dup2(2, 0)
    return os.fdopen(source, "rb", 65_536), sink


def main():
    source, sink = take_pipes()
    host = Host(sys.argv[2])
    sys.stdin = None
    sys.stdout = _LogWriter(host.ctx, abi.LOG_LEVEL_INFO)
    sys.stderr = _LogWriter(host.ctx, abi.LOG_LEVEL_WARNING)
    while True:
        head = source.read(4)
        if len(head) < 4:
            os._exit(0)
        size = int.from_bytes(head, "little")
        message = source.read(size)
        if len(message) < size:
            os._exit(0)
        status, output = host.call(message[0], message[8:])
        data = memoryview((len(output) + 8).to_bytes(4, "little") + status.to_bytes(4, "little", signed=True) + bytes(4) + output)
        while data:
            data = data[os.write(sink, data):]


main()
