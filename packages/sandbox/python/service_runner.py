"""Serves one service over the jail's framing: u32 length and one JSON object, both ways.

Arguments: path of the service's file, which defines answer(request), folder and digest of its pack, whose Python is run only
as it was approved; a digest that is empty holds none of it. What it prints goes to the bounded log; what it
raises ends it, and the next question starts it anew (packages/runtime/src/service/jailed-adapter.ts).
"""
import importlib.util
import json
import os
import sys

import approved_code


def main():
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.dup2(2, 0)
    pack, digest = sys.argv[2:4]
    if digest:
        approved_code.hold(pack, lambda: approved_code.files_at(pack, digest))
    stream = os.fdopen(source, "rb", 65_536)
    spec = importlib.util.spec_from_file_location("service", sys.argv[1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    while True:
        head = stream.read(4)
        if len(head) < 4:
            os._exit(0)
        size = int.from_bytes(head, "little")
        message = stream.read(size)
        if len(message) < size:
            os._exit(0)
        output = json.dumps(module.answer(json.loads(message)), separators=(",", ":")).encode("utf-8")
        data = memoryview(len(output).to_bytes(4, "little") + output)
        while data:
            data = data[os.write(sink, data):]


main()
