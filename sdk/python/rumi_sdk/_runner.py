"""Runs one strategy over the pipe transport on descriptors 0 and 1.

    env -i PYTHONHASHSEED=0 python3 -s -S -B .../rumi_sdk/_runner.py '{"entrypoint": "/app/x.py", "limits": {...}}'

Not -I: that ignores PYTHONHASHSEED, and sets of strings would then iterate differently in a replay.
limits (all optional): memory_bytes, processes, open_files, file_bytes, cpu_seconds, stack_bytes, core_bytes.
What the strategy prints becomes bounded log records; nothing else is ever written to descriptor 1.
An exception answers a coded status with the traceback's tail and the process lives on; it ends with the pipe,
after on_shutdown, or (exit code 2) when its arguments or limits are refused.
"""
import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != os.path.join(_HERE, "rumi_sdk")]
sys.path.insert(0, _HERE)

import json  # noqa: E402
import types  # noqa: E402
from struct import Struct  # noqa: E402

from rumi_sdk import _generated as abi  # noqa: E402
from rumi_sdk._context import Context, Refusal  # noqa: E402
from rumi_sdk._strategy import Strategy  # noqa: E402

FRAME_BYTES = 1_048_576
_RLIMITS = {
    "memory_bytes": "RLIMIT_AS", "processes": "RLIMIT_NPROC", "open_files": "RLIMIT_NOFILE", "file_bytes": "RLIMIT_FSIZE",
    "cpu_seconds": "RLIMIT_CPU", "stack_bytes": "RLIMIT_STACK", "core_bytes": "RLIMIT_CORE",
}
_READERS = {
    abi.KIND_TRADE_EVENT: abi.read_trade_event, abi.KIND_QUOTE_EVENT: abi.read_quote_event, abi.KIND_BAR_EVENT: abi.read_bar_event,
    abi.KIND_BOOK_EVENT: abi.read_book_event, abi.KIND_EXECUTION_EVENT: abi.read_execution_event, abi.KIND_SAFETY_EVENT: abi.read_safety_event,
    abi.KIND_SIGNAL_EVENT: abi.read_signal_event, abi.KIND_CONFIG_EVENT: abi.read_config_event,
}

# A whole trade frame in one go.
_TRADE = Struct("<" + abi._HEADER.format[1:] + abi._TRADE_EVENT.format[1:])


class _LogWriter:
    """Stands in for sys.stdout and sys.stderr: whole lines become log records."""

    encoding = "utf-8"

    def __init__(self, ctx, level):
        self._ctx, self._level, self._rest = ctx, level, ""

    def write(self, text):
        self._rest += text
        *lines, self._rest = self._rest.split("\n")
        for line in lines:
            self._ctx.log(line, self._level)
        if len(self._rest) > abi.LOG_LINE_BYTES:
            self._ctx.log(self._rest, self._level)
            self._rest = ""
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


class Host:
    """Answers one frame at a time: (status, output bytes)."""

    def __init__(self, load, sha256=None):
        self.ctx = Context()
        self._load = load
        self._sha256 = sha256
        self._strategy = None

    def call(self, callback, frame):
        self.ctx._begin()
        try:
            self._run(callback, frame)
            return 0, b"".join(self.ctx._out)
        except abi.FrameError as error:
            return self._refuse(abi.STATUS_BAD_FRAME, "malformed: %s" % error)
        except Refusal as error:
            return self._refuse(error.status, str(error))
        except BaseException:  # noqa: B902 - also SystemExit and MemoryError: the strategy must not end the runner
            return self._refuse(abi.STATUS_EXCEPTION, _traceback())

    def events(self, frames, count):
        """Event frames end to end, in order, until one says something: (status, output, how many were taken).

        Trades alone are read in one go; what is not plainly a sound trade goes through `call`, which decides.
        """
        if count * _TRADE.size != len(frames) or self._strategy is None:
            return self._events_of_any_kind(frames, count)
        ctx = self.ctx
        ctx._begin()
        out, on_event, taken = ctx._out, self._strategy.on_event, 0
        try:
            for kind, flags, length, cursor, event_us, received_us, processed_us, instrument, schema, trace, price, quantity, trade_id, aggressor in _TRADE.iter_unpack(frames):
                # Whole numbers below 2**53 that are not negative have no bit beyond it together either.
                if kind != 1 or length != 96 or schema != 1 or aggressor > 2 or (cursor | event_us | received_us | processed_us | price | quantity | trade_id) >> 53:
                    status, output = self.call(abi.CALLBACK_EVENT, bytes(frames[taken * 96:taken * 96 + 96]))
                    taken += 1
                    if status != 0 or output:
                        return status, output, taken
                    out = ctx._out
                    continue
                taken += 1
                ctx._fields = (flags, cursor, event_us, received_us, processed_us, instrument, trace)
                ctx._header = None
                on_event(ctx, abi.TradeEvent(price, quantity, trade_id, aggressor))
                if out:
                    return 0, b"".join(out), taken
            return 0, b"", taken
        except abi.FrameError as error:
            return *self._refuse(abi.STATUS_BAD_FRAME, "malformed: %s" % error), taken
        except Refusal as error:
            return *self._refuse(error.status, str(error)), taken
        except BaseException:  # noqa: B902 - as in `call`
            return *self._refuse(abi.STATUS_EXCEPTION, _traceback()), taken

    def _events_of_any_kind(self, frames, count):
        status, output, at = 0, b"", 0
        for taken in range(1, count + 1):
            # A single frame is what was sent, whatever length it claims.
            length = len(frames) if count == 1 else max(int.from_bytes(frames[at + 4:at + 8], "little"), 8)
            status, output = self.call(abi.CALLBACK_EVENT, bytes(frames[at:at + length]))
            at += length
            if status != 0 or output:
                return status, output, taken
        return status, output, count

    def _refuse(self, status, text):
        data = text.encode("utf-8", "replace")[-abi.ERROR_TEXT_BYTES:]
        return status, abi.write_error_report(abi.ErrorReport(-status, data))

    def _run(self, callback, frame):
        kind, length, header = abi.read_frame_header(frame)
        if length != len(frame):
            raise abi.FrameError("length")
        ctx = self.ctx
        ctx._at(header)
        if callback == abi.CALLBACK_EVENT:
            read = _READERS.get(kind)
            if read is None:
                raise abi.FrameError("kind")
            self._ready().on_event(ctx, read(frame))
        elif callback == abi.CALLBACK_TIMER and kind == abi.KIND_TIMER_EVENT:
            timer = abi.read_timer_event(frame)
            self._ready().on_timer(ctx, timer.timer_id, timer.due_us)
        elif callback == abi.CALLBACK_INIT and kind == abi.KIND_INIT_CALL:
            self._init(abi.read_init_call(frame))
        elif callback == abi.CALLBACK_SHUTDOWN and kind == abi.KIND_SHUTDOWN_CALL:
            self._ready().on_shutdown(ctx, abi.read_shutdown_call(frame).reason)
        elif callback == abi.CALLBACK_HEALTHCHECK and kind == abi.KIND_HEALTHCHECK_CALL:
            check = getattr(self._ready(), "on_healthcheck", None)
            if check is None:
                raise Refusal("no on_healthcheck", abi.STATUS_UNSUPPORTED)
            health, reason = check(ctx)
            ctx._emit(abi.write_health_report(abi.HealthReport(health, reason)))
        elif callback == abi.CALLBACK_SAVE_STATE and kind == abi.KIND_SAVE_STATE_CALL:
            self._saved(self._ready().save_state())
        elif callback == abi.CALLBACK_MIGRATE_STATE and kind == abi.KIND_MIGRATE_STATE_CALL:
            call = abi.read_migrate_state_call(frame)
            self._saved(self._class().migrate_state(call.from_version, call.state), abi.STATUS_UNSUPPORTED)
        else:
            raise abi.FrameError("kind")

    def _class(self):
        if isinstance(self._load, str):
            self._load = load_strategy(self._load, self._sha256)
        return self._load

    def _init(self, call):
        if call.abi_version != abi.ABI_VERSION:
            raise Refusal("abi version %d" % call.abi_version, abi.STATUS_BAD_ABI_VERSION)
        self.ctx._start(call)
        if sys.flags.hash_randomization and isinstance(self._load, str):
            self.ctx.log("hash randomisation is on: a replay may differ", abi.LOG_LEVEL_WARNING)
        strategy = self._class()()
        restored = None if call.state_version == 0 else (call.state_version, call.state)
        strategy.on_init(self.ctx, json.loads(call.config or b"{}"), restored)
        self._strategy = strategy

    def _ready(self):
        if self._strategy is None:
            raise Refusal("not initialised", abi.STATUS_NOT_INITIALISED)
        return self._strategy

    def _saved(self, data, status=abi.STATUS_STATE_REFUSED):
        if not isinstance(data, (bytes, bytearray)):
            raise Refusal("no state bytes", status)
        self.ctx._emit(abi.write_saved_state(abi.SavedState(self._class().STATE_VERSION, bytes(data))))


def load_strategy(path, sha256=None):
    """The one Strategy subclass that the file defines; with `sha256` (hexadecimal), only out of bytes that have it."""
    with open(path, "rb") as source:
        text = source.read()
    if sha256 is not None:
        import hashlib
        if hashlib.sha256(text).hexdigest() != sha256:
            raise Refusal("the entrypoint is not what was approved")
    code = compile(text, path, "exec")
    module = types.ModuleType("strategy")
    module.__file__ = path
    sys.modules["strategy"] = module
    exec(code, module.__dict__)
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == "strategy"]
    if len(found) != 1:
        raise Refusal("%d strategies in the entrypoint, not one" % len(found))
    return found[0]


def _traceback():
    try:
        import traceback
        return traceback.format_exc()
    except BaseException:  # noqa: B902 - out of memory or depth: the bare name must do
        error = sys.exc_info()[0]
        return error.__name__ if error is not None else "exception"


def _apply_limits(limits):
    import resource
    for name, value in limits.items():
        if type(value) is not int or value < 0:
            raise ValueError("limit %s" % name)
        which = getattr(resource, _RLIMITS[name])
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def _take_pipes():
    """Moves the transport off 0 and 1, so that no print and no child writes into it."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(source, "rb", 65_536), sink


def serve(host, source, sink):
    while True:
        head = source.read(8)
        if len(head) < 8:
            return
        size, callback, frames = int.from_bytes(head[:4], "little"), head[4], int.from_bytes(head[6:8], "little")
        if size > FRAME_BYTES:
            return
        payload = source.read(size)
        if len(payload) < size:
            return
        at = 0
        replies = []
        for _ in range(frames):
            length = int.from_bytes(payload[at + 4:at + 8], "little")
            status, output = host.call(callback, payload[at:at + length])
            replies.append(len(output).to_bytes(4, "little") + status.to_bytes(4, "little", signed=True) + output)
            at += max(length, 8)
        data = memoryview(b"".join(replies))
        while data:
            data = data[os.write(sink, data):]
        if callback == abi.CALLBACK_SHUTDOWN:
            return


def main():
    try:
        arguments = json.loads(sys.argv[1])
        unknown = set(arguments) - {"entrypoint", "limits"}
        if unknown or not isinstance(arguments["entrypoint"], str):
            raise ValueError("arguments")
        source, sink = _take_pipes()
        _apply_limits(arguments.get("limits", {}))
    except (IndexError, KeyError, ValueError, OSError, TypeError) as error:
        sys.stderr.write("rumi_sdk: %s: %s\n" % (type(error).__name__, error))
        return 2
    host = Host(arguments["entrypoint"])
    sys.stdin = None
    sys.stdout = _LogWriter(host.ctx, abi.LOG_LEVEL_INFO)
    sys.stderr = _LogWriter(host.ctx, abi.LOG_LEVEL_WARNING)
    serve(host, source, sink)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
