"""What a strategy sees and may say during one callback."""
import json

from . import _generated as abi

OUTPUT_BYTES = 1_048_576
# Of log records in one callback; the rest is cut and said so.
LOG_BYTES = 65_536
_CUT = b"... log cut"
# Places in a header's fields.
_INSTRUMENT = abi.FrameHeader.__slots__.index("instrument")
_PROCESSED = abi.FrameHeader.__slots__.index("processed_time_us")


class Refusal(Exception):
    """A coded refusal: Refusal(text, status)."""

    def __init__(self, text, status=abi.STATUS_STRATEGY_ERROR):
        super().__init__(text)
        self.status = status


class RiskContext:
    """Mandatory on every intent (M-2.4.2); budget in quote currency scaled by 10**8."""

    __slots__ = ("max_slippage_bps", "max_latency_us", "expected_holding_us", "budget")

    def __init__(self, max_slippage_bps, max_latency_us, expected_holding_us, budget):
        self.max_slippage_bps = max_slippage_bps
        self.max_latency_us = max_latency_us
        self.expected_holding_us = expected_holding_us
        self.budget = budget


class Random:
    """xoshiro128** on the run's seed: the same numbers as the Rust SDK draws. `state` may go into a checkpoint."""

    def __init__(self, seed):
        self.state = [int.from_bytes(seed[i:i + 4], "little") for i in (0, 4, 8, 12)]
        if self.state == [0, 0, 0, 0]:
            self.state = [1, 0, 0, 0]

    def next_u32(self):
        s0, s1, s2, s3 = self.state
        value = s1 * 5 & 0xFFFFFFFF
        value = ((value << 7) | (value >> 25)) & 0xFFFFFFFF
        c, d = s2 ^ s0, s3 ^ s1
        self.state = [s0 ^ d, s1 ^ c, c ^ (s1 << 9 & 0xFFFFFFFF), ((d << 11) | (d >> 21)) & 0xFFFFFFFF]
        return value * 9 & 0xFFFFFFFF

    def below(self, bound):
        """Uniform in [0, bound), bound <= 2**32; 0 for a bound of 0."""
        if bound == 0:
            return 0
        limit = 2**32 - 2**32 % bound
        while True:
            value = self.next_u32()
            if value < limit:
                return value % bound


class Context:
    def __init__(self):
        self._fields = ()
        self._header = abi.FrameHeader()
        self.instruments = []
        self.random = Random(bytes(16))
        self.mode = 0
        self.bot_id = self.instance_id = ""
        self._init = abi.InitCall()
        self._next_key = 0
        self._begin()

    @property
    def header(self):
        """When and how good the input at hand is: the ABI's FrameHeader, made when it is first asked for."""
        if self._header is None:
            self._header = abi.FrameHeader(*self._fields)
        return self._header

    @property
    def now_us(self):
        """Time of the input at hand; the only clock a strategy should know."""
        return self._fields[_PROCESSED]

    @property
    def flags(self):
        """Bits of QUALITY_* of the input at hand."""
        return self._fields[0]

    @property
    def instrument(self):
        """Index of the instrument that the input at hand is about; NO_INSTRUMENT when about none."""
        return self._fields[_INSTRUMENT]

    # Intents. Each answers its key, by which its order is cancelled, amended and recognised in execution events.

    def order(self, risk, side, quantity, order_type=abi.ORDER_TYPE_MARKET, price=0, time_in_force=abi.TIME_IN_FORCE_IOC, options=0, instrument=0):
        return self._intent(abi.write_order_intent, risk, abi.OrderIntent(instrument, side, order_type, time_in_force, options, price, quantity))

    def cancel(self, risk, target_key, instrument=0):
        return self._intent(abi.write_cancel_intent, risk, abi.CancelIntent(target_key, instrument))

    def amend(self, risk, target_key, price=-1, quantity=-1, instrument=0):
        return self._intent(abi.write_amend_intent, risk, abi.AmendIntent(target_key, instrument, price, quantity))

    def position(self, risk, target, order_type=abi.ORDER_TYPE_MARKET, limit_price=0, instrument=0):
        return self._intent(abi.write_position_intent, risk, abi.PositionIntent(instrument, order_type, target, limit_price))

    def alert(self, risk, code, severity=abi.SEVERITY_WARNING, args=()):
        return self._intent(abi.write_alert_intent, risk, abi.AlertIntent(code, severity, len(args), *(list(args) + [0] * (4 - len(args)))))

    def noop(self, risk, reason=0):
        return self._intent(abi.write_noop_intent, risk, abi.NoopIntent(reason))

    def risk_hint(self, risk, hint, value, instrument=0):
        return self._intent(abi.write_risk_hint, risk, abi.RiskHint(instrument, hint, value))

    # Effects.

    def request_checkpoint(self):
        self._emit(abi.write_state_update(abi.StateUpdate(1)))

    def telemetry(self, tag, score):
        """tag: [a-z0-9_.]{1,32}; the host drops anything else."""
        self._emit(abi.write_telemetry_hint(abi.TelemetryHint(tag, score)))

    def timer(self, timer_id, at_us):
        """at_us 0 cancels."""
        self._emit(abi.write_timer_request(abi.TimerRequest(timer_id, at_us)))

    def ask(self, service, request_id, request):
        """Asks a service by its contract's name (Compute lane, descriptor capability `services`). request: what json.dumps takes.
        The answer comes to on_signal as {"source": "service", "service", "request_id", "as_of_us", "answer"} or with "error"."""
        data = json.dumps(request, separators=(",", ":")).encode("utf-8")
        self._emit(abi.write_service_request(abi.ServiceRequest(request_id, service, data)))

    def log(self, text, level=abi.LOG_LEVEL_INFO):
        """One bounded line; print() ends here too."""
        data = str(text).encode("utf-8", "replace")[:abi.LOG_LINE_BYTES]
        if self._logged + len(data) > LOG_BYTES:
            if not self._cut:
                self._cut = True
                self._emit(abi.write_log_line(abi.LogLine(abi.LOG_LEVEL_WARNING, _CUT)))
            return
        self._logged += len(data) + 16
        self._emit(abi.write_log_line(abi.LogLine(level, data)))

    # The runner's half.

    def _start(self, call):
        self._init = call
        self._next_key = call.next_intent_key
        self.instruments = call.instruments
        self.random = Random(call.seed)
        self.mode, self.bot_id, self.instance_id = call.mode, call.bot_id, call.instance_id

    def _at(self, header):
        """The frame at hand; `header` is its FrameHeader."""
        self._header = header
        self._fields = tuple(getattr(header, name) for name in header.__slots__)

    def _begin(self):
        self._out = []
        self._size = self._logged = 0
        self._cut = False

    def _emit(self, data):
        self._size += len(data)
        if self._size > OUTPUT_BYTES:
            raise Refusal("output over %d bytes" % OUTPUT_BYTES, abi.STATUS_OUTPUT_OVERFLOW)
        self._out.append(data)

    def _intent(self, write, risk, value):
        call, key = self._init, self._next_key
        meta = abi.IntentMeta(
            call.bot, call.strategy, call.version, call.instance, call.run_id, self.header.trace_id, key,
            risk.max_slippage_bps, risk.max_latency_us, risk.expected_holding_us, risk.budget,
        )
        data = write(meta, value)
        self._next_key = key + 1
        self._emit(data)
        return key
