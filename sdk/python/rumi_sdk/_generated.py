# Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
"""Strategy ABI v1: frames and their codec."""
from struct import Struct

MAX_INTEGER = 9007199254740991
ZERO16 = bytes(16)


class FrameError(Exception):
    """A malformed frame; its argument is the field's name."""


class Record:
    __slots__ = ()

    def __eq__(self, other):
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join("%s=%r" % (name, getattr(self, name)) for name in self.__slots__) + ")"


def _word(value, low, high, name):
    if type(value) is not int or not low <= value <= high:
        raise FrameError(name)
    return value


def _real(value, name):
    if type(value) not in (int, float) or value != value or value in (float("inf"), float("-inf")):
        raise FrameError(name)
    return value


def _id(value, name):
    if not isinstance(value, bytes) or len(value) != 16:
        raise FrameError(name)
    return value


def _put_text(value, size, name):
    if not isinstance(value, str) or len(value) > size or not all("!" <= c <= "~" for c in value):
        raise FrameError(name)
    return value.encode("ascii")


def _take_text(value, name):
    value = value.rstrip(b"\0")
    if not all(0x21 <= c <= 0x7E for c in value):
        raise FrameError(name)
    return value.decode("ascii")


def _pad8(size):
    return (size + 7) & ~7


def _pad(data):
    return bytes(data) + bytes(-len(data) % 8)


ABI_VERSION = 1
MONEY_DIGITS = 8
NO_INSTRUMENT = 4294967295
MISSING_U32 = 4294967295
MISSING_I64 = -1
LOG_LINE_BYTES = 1024
ERROR_TEXT_BYTES = 4096
STATUS_BAD_FRAME = -1
STATUS_BAD_ABI_VERSION = -2
STATUS_NOT_INITIALISED = -3
STATUS_OUTPUT_OVERFLOW = -4
STATUS_STRATEGY_ERROR = -5
STATUS_UNSUPPORTED = -6
STATUS_STATE_REFUSED = -7
STATUS_CONFIG_REFUSED = -8
STATUS_EXCEPTION = -9
CALLBACK_INIT = 1
CALLBACK_EVENT = 2
CALLBACK_TIMER = 3
CALLBACK_SHUTDOWN = 4
CALLBACK_HEALTHCHECK = 5
CALLBACK_SAVE_STATE = 6
CALLBACK_MIGRATE_STATE = 7
QUALITY_STALE = 1
QUALITY_GAP = 2
QUALITY_DUP = 4
QUALITY_OUT_OF_ORDER = 8
QUALITY_CLOCK_DRIFT = 16
REFUSAL_NONE = 0
REFUSAL_OUTSIDE = 1
REFUSAL_INTENT = 2
REFUSAL_LIMIT = 3
REFUSAL_RATE = 4
REFUSAL_RESTRICTED = 5
REFUSAL_CHANGED = 6
OPTION_REDUCE_ONLY = 1
OPTION_POST_ONLY = 2
AGGRESSOR_UNKNOWN = 0
AGGRESSOR_BUYER = 1
AGGRESSOR_SELLER = 2
SIDE_BUY = 1
SIDE_SELL = 2
BOOK_ACTION_SNAPSHOT = 1
BOOK_ACTION_INCREMENT = 2
EXECUTION_REPORT_ACCEPTED = 1
EXECUTION_REPORT_REJECTED = 2
EXECUTION_REPORT_PARTIALLY_FILLED = 3
EXECUTION_REPORT_FILLED = 4
EXECUTION_REPORT_CANCELLED = 5
EXECUTION_REPORT_AMENDED = 6
EXECUTION_REPORT_CANCEL_REJECTED = 7
LIQUIDITY_NONE = 0
LIQUIDITY_MAKER = 1
LIQUIDITY_TAKER = 2
SAFETY_MODE_NORMAL = 1
SAFETY_MODE_SAFE = 2
SAFETY_MODE_EMERGENCY_STOP = 3
KILL_SWITCH_NONE = 0
KILL_SWITCH_INSTANCE = 1
KILL_SWITCH_BOT = 2
KILL_SWITCH_VENUE = 3
KILL_SWITCH_GLOBAL = 4
CONFIG_APPLY_IMMEDIATE = 1
CONFIG_APPLY_SAFE_POINT = 2
CONFIG_APPLY_RESTART = 3
RUN_MODE_BACKTEST = 1
RUN_MODE_PAPER = 2
RUN_MODE_SHADOW = 3
RUN_MODE_LIVE = 4
SHUTDOWN_REASON_STOP = 1
SHUTDOWN_REASON_UPGRADE = 2
SHUTDOWN_REASON_SAFETY = 3
SHUTDOWN_REASON_LEASE_LOST = 4
SHUTDOWN_REASON_FEED_ENDED = 5
ORDER_TYPE_LIMIT = 1
ORDER_TYPE_MARKET = 2
TIME_IN_FORCE_GTC = 1
TIME_IN_FORCE_IOC = 2
TIME_IN_FORCE_FOK = 3
SEVERITY_INFO = 1
SEVERITY_WARNING = 2
SEVERITY_CRITICAL = 3
RISK_HINT_REDUCE = 1
RISK_HINT_PAUSE = 2
RISK_HINT_VOLATILE = 3
RISK_HINT_ILLIQUID = 4
RISK_HINT_DRIFT = 5
LOG_LEVEL_DEBUG = 1
LOG_LEVEL_INFO = 2
LOG_LEVEL_WARNING = 3
LOG_LEVEL_ERROR = 4
HEALTH_HEALTHY = 1
HEALTH_DEGRADED = 2
HEALTH_HALTED = 3
KIND_TRADE_EVENT = 1
KIND_QUOTE_EVENT = 2
KIND_BAR_EVENT = 3
KIND_BOOK_EVENT = 4
KIND_EXECUTION_EVENT = 5
KIND_SAFETY_EVENT = 6
KIND_TIMER_EVENT = 7
KIND_SIGNAL_EVENT = 8
KIND_CONFIG_EVENT = 9
KIND_INIT_CALL = 32
KIND_SHUTDOWN_CALL = 33
KIND_HEALTHCHECK_CALL = 34
KIND_SAVE_STATE_CALL = 35
KIND_MIGRATE_STATE_CALL = 36
KIND_ORDER_INTENT = 1
KIND_CANCEL_INTENT = 2
KIND_AMEND_INTENT = 3
KIND_POSITION_INTENT = 4
KIND_ALERT_INTENT = 5
KIND_NOOP_INTENT = 6
KIND_RISK_HINT = 7
KIND_STATE_UPDATE = 16
KIND_TELEMETRY_HINT = 17
KIND_TIMER_REQUEST = 18
KIND_LOG_LINE = 19
KIND_SAVED_STATE = 20
KIND_HEALTH_REPORT = 21
KIND_ERROR_REPORT = 22
KIND_SERVICE_REQUEST = 23


class FrameHeader(Record):
    """What every input frame carries besides kind, length and schema version."""
    __slots__ = ("flags", "cursor", "event_time_us", "received_time_us", "processed_time_us", "instrument", "trace_id",)

    def __init__(self, flags=0, cursor=0, event_time_us=0, received_time_us=0, processed_time_us=0, instrument=0, trace_id=ZERO16):
        self.flags = flags
        self.cursor = cursor
        self.event_time_us = event_time_us
        self.received_time_us = received_time_us
        self.processed_time_us = processed_time_us
        self.instrument = instrument
        self.trace_id = trace_id


class IntentMeta(Record):
    """What every intent carries (M-2.4.2)."""
    __slots__ = ("bot", "strategy", "version", "instance", "run_id", "trace_id", "idempotency_key", "max_slippage_bps", "max_latency_us", "expected_holding_us", "budget",)

    def __init__(self, bot=0, strategy=0, version=0, instance=0, run_id=ZERO16, trace_id=ZERO16, idempotency_key=0, max_slippage_bps=0, max_latency_us=0, expected_holding_us=0, budget=0):
        self.bot = bot
        self.strategy = strategy
        self.version = version
        self.instance = instance
        self.run_id = run_id
        self.trace_id = trace_id
        self.idempotency_key = idempotency_key
        self.max_slippage_bps = max_slippage_bps
        self.max_latency_us = max_latency_us
        self.expected_holding_us = expected_holding_us
        self.budget = budget


_HEADER = Struct("<HHIQqqqII16s")
_META = Struct("<IIII16s16sQIIqq")
_RECORD = Struct("<HHI")


def read_frame_header(frame):
    """-> (kind, length, FrameHeader)"""
    if len(frame) < 64:
        raise FrameError("length")
    kind, flags, length, cursor, event_time_us, received_time_us, processed_time_us, instrument, schema_version, trace_id = _HEADER.unpack_from(frame, 0)
    _word(cursor, 0, MAX_INTEGER, "cursor")
    _word(event_time_us, -MAX_INTEGER, MAX_INTEGER, "event_time_us")
    _word(received_time_us, -MAX_INTEGER, MAX_INTEGER, "received_time_us")
    _word(processed_time_us, -MAX_INTEGER, MAX_INTEGER, "processed_time_us")
    if schema_version != ABI_VERSION:
        raise FrameError("schema_version")
    return kind, length, FrameHeader(flags, cursor, event_time_us, received_time_us, processed_time_us, instrument, trace_id)


def _put_header(kind, length, value):
    return _HEADER.pack(kind, _word(value.flags, 0, 65535, "flags"), length, _word(value.cursor, 0, MAX_INTEGER, "cursor"), _word(value.event_time_us, -MAX_INTEGER, MAX_INTEGER, "event_time_us"), _word(value.received_time_us, -MAX_INTEGER, MAX_INTEGER, "received_time_us"), _word(value.processed_time_us, -MAX_INTEGER, MAX_INTEGER, "processed_time_us"), _word(value.instrument, 0, 4294967295, "instrument"), ABI_VERSION, _id(value.trace_id, "trace_id"))


def read_intent_meta(frame):
    bot, strategy, version, instance, run_id, trace_id, idempotency_key, max_slippage_bps, max_latency_us, expected_holding_us, budget = _META.unpack_from(frame, 8)
    _word(idempotency_key, 0, MAX_INTEGER, "idempotency_key")
    _word(expected_holding_us, -MAX_INTEGER, MAX_INTEGER, "expected_holding_us")
    _word(budget, -MAX_INTEGER, MAX_INTEGER, "budget")
    return IntentMeta(bot, strategy, version, instance, run_id, trace_id, idempotency_key, max_slippage_bps, max_latency_us, expected_holding_us, budget)


def _put_meta(value):
    return _META.pack(_word(value.bot, 0, 4294967295, "bot"), _word(value.strategy, 0, 4294967295, "strategy"), _word(value.version, 0, 4294967295, "version"), _word(value.instance, 0, 4294967295, "instance"), _id(value.run_id, "run_id"), _id(value.trace_id, "trace_id"), _word(value.idempotency_key, 0, MAX_INTEGER, "idempotency_key"), _word(value.max_slippage_bps, 0, 4294967295, "max_slippage_bps"), _word(value.max_latency_us, 0, 4294967295, "max_latency_us"), _word(value.expected_holding_us, -MAX_INTEGER, MAX_INTEGER, "expected_holding_us"), _word(value.budget, -MAX_INTEGER, MAX_INTEGER, "budget"))

class Level(Record):
    """Element of an array tail."""
    __slots__ = ("price", "quantity",)

    def __init__(self, price=0, quantity=0):
        self.price = price
        self.quantity = quantity


_LEVEL = Struct("<qq")


def _put_level(value):
    return _LEVEL.pack(_word(value.price, -MAX_INTEGER, MAX_INTEGER, "price"), _word(value.quantity, -MAX_INTEGER, MAX_INTEGER, "quantity"))


def _take_level(frame, at):
    price, quantity = _LEVEL.unpack_from(frame, at)
    _word(price, -MAX_INTEGER, MAX_INTEGER, "price")
    _word(quantity, -MAX_INTEGER, MAX_INTEGER, "quantity")
    return Level(price, quantity)

class Instrument(Record):
    """Element of an array tail."""
    __slots__ = ("instrument_id", "base_currency", "quote_currency", "price_digits", "quantity_digits", "tick_size", "lot_size", "min_quantity", "max_quantity",)

    def __init__(self, instrument_id="", base_currency="", quote_currency="", price_digits=0, quantity_digits=0, tick_size=0, lot_size=0, min_quantity=0, max_quantity=0):
        self.instrument_id = instrument_id
        self.base_currency = base_currency
        self.quote_currency = quote_currency
        self.price_digits = price_digits
        self.quantity_digits = quantity_digits
        self.tick_size = tick_size
        self.lot_size = lot_size
        self.min_quantity = min_quantity
        self.max_quantity = max_quantity


_INSTRUMENT = Struct("<72s16s16sIIqqqq")


def _put_instrument(value):
    return _INSTRUMENT.pack(_put_text(value.instrument_id, 72, "instrument_id"), _put_text(value.base_currency, 16, "base_currency"), _put_text(value.quote_currency, 16, "quote_currency"), _word(value.price_digits, 0, 4294967295, "price_digits"), _word(value.quantity_digits, 0, 4294967295, "quantity_digits"), _word(value.tick_size, -MAX_INTEGER, MAX_INTEGER, "tick_size"), _word(value.lot_size, -MAX_INTEGER, MAX_INTEGER, "lot_size"), _word(value.min_quantity, -MAX_INTEGER, MAX_INTEGER, "min_quantity"), _word(value.max_quantity, -MAX_INTEGER, MAX_INTEGER, "max_quantity"))


def _take_instrument(frame, at):
    instrument_id, base_currency, quote_currency, price_digits, quantity_digits, tick_size, lot_size, min_quantity, max_quantity = _INSTRUMENT.unpack_from(frame, at)
    instrument_id = _take_text(instrument_id, "instrument_id")
    base_currency = _take_text(base_currency, "base_currency")
    quote_currency = _take_text(quote_currency, "quote_currency")
    _word(tick_size, -MAX_INTEGER, MAX_INTEGER, "tick_size")
    _word(lot_size, -MAX_INTEGER, MAX_INTEGER, "lot_size")
    _word(min_quantity, -MAX_INTEGER, MAX_INTEGER, "min_quantity")
    _word(max_quantity, -MAX_INTEGER, MAX_INTEGER, "max_quantity")
    return Instrument(instrument_id, base_currency, quote_currency, price_digits, quantity_digits, tick_size, lot_size, min_quantity, max_quantity)

class TradeEvent(Record):
    """One trade."""
    __slots__ = ("price", "quantity", "trade_id", "aggressor",)

    def __init__(self, price=0, quantity=0, trade_id=0, aggressor=0):
        self.price = price
        self.quantity = quantity
        self.trade_id = trade_id
        self.aggressor = aggressor


_TRADE_EVENT = Struct("<qqQI4x")


def write_trade_event(header, value):
    length = 96
    return _put_header(1, length, header) + _TRADE_EVENT.pack(_word(value.price, -MAX_INTEGER, MAX_INTEGER, "price"), _word(value.quantity, -MAX_INTEGER, MAX_INTEGER, "quantity"), _word(value.trade_id, 0, MAX_INTEGER, "trade_id"), _word(value.aggressor, 0, 2, "aggressor"))


def read_trade_event(frame):
    if len(frame) != 96:
        raise FrameError("length")
    price, quantity, trade_id, aggressor = _TRADE_EVENT.unpack_from(frame, 64)
    _word(price, -MAX_INTEGER, MAX_INTEGER, "price")
    _word(quantity, -MAX_INTEGER, MAX_INTEGER, "quantity")
    _word(trade_id, 0, MAX_INTEGER, "trade_id")
    _word(aggressor, 0, 2, "aggressor")
    return TradeEvent(price, quantity, trade_id, aggressor)

class QuoteEvent(Record):
    """Best bid and ask."""
    __slots__ = ("bid_price", "bid_quantity", "ask_price", "ask_quantity",)

    def __init__(self, bid_price=0, bid_quantity=0, ask_price=0, ask_quantity=0):
        self.bid_price = bid_price
        self.bid_quantity = bid_quantity
        self.ask_price = ask_price
        self.ask_quantity = ask_quantity


_QUOTE_EVENT = Struct("<qqqq")


def write_quote_event(header, value):
    length = 96
    return _put_header(2, length, header) + _QUOTE_EVENT.pack(_word(value.bid_price, -MAX_INTEGER, MAX_INTEGER, "bid_price"), _word(value.bid_quantity, -MAX_INTEGER, MAX_INTEGER, "bid_quantity"), _word(value.ask_price, -MAX_INTEGER, MAX_INTEGER, "ask_price"), _word(value.ask_quantity, -MAX_INTEGER, MAX_INTEGER, "ask_quantity"))


def read_quote_event(frame):
    if len(frame) != 96:
        raise FrameError("length")
    bid_price, bid_quantity, ask_price, ask_quantity = _QUOTE_EVENT.unpack_from(frame, 64)
    _word(bid_price, -MAX_INTEGER, MAX_INTEGER, "bid_price")
    _word(bid_quantity, -MAX_INTEGER, MAX_INTEGER, "bid_quantity")
    _word(ask_price, -MAX_INTEGER, MAX_INTEGER, "ask_price")
    _word(ask_quantity, -MAX_INTEGER, MAX_INTEGER, "ask_quantity")
    return QuoteEvent(bid_price, bid_quantity, ask_price, ask_quantity)

class BarEvent(Record):
    """One finished bar."""
    __slots__ = ("open_time_us", "duration_us", "open", "high", "low", "close", "volume", "trades",)

    def __init__(self, open_time_us=0, duration_us=0, open=0, high=0, low=0, close=0, volume=0, trades=0):
        self.open_time_us = open_time_us
        self.duration_us = duration_us
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.trades = trades


_BAR_EVENT = Struct("<qqqqqqqQ")


def write_bar_event(header, value):
    length = 128
    return _put_header(3, length, header) + _BAR_EVENT.pack(_word(value.open_time_us, -MAX_INTEGER, MAX_INTEGER, "open_time_us"), _word(value.duration_us, -MAX_INTEGER, MAX_INTEGER, "duration_us"), _word(value.open, -MAX_INTEGER, MAX_INTEGER, "open"), _word(value.high, -MAX_INTEGER, MAX_INTEGER, "high"), _word(value.low, -MAX_INTEGER, MAX_INTEGER, "low"), _word(value.close, -MAX_INTEGER, MAX_INTEGER, "close"), _word(value.volume, -MAX_INTEGER, MAX_INTEGER, "volume"), _word(value.trades, 0, MAX_INTEGER, "trades"))


def read_bar_event(frame):
    if len(frame) != 128:
        raise FrameError("length")
    open_time_us, duration_us, open, high, low, close, volume, trades = _BAR_EVENT.unpack_from(frame, 64)
    _word(open_time_us, -MAX_INTEGER, MAX_INTEGER, "open_time_us")
    _word(duration_us, -MAX_INTEGER, MAX_INTEGER, "duration_us")
    _word(open, -MAX_INTEGER, MAX_INTEGER, "open")
    _word(high, -MAX_INTEGER, MAX_INTEGER, "high")
    _word(low, -MAX_INTEGER, MAX_INTEGER, "low")
    _word(close, -MAX_INTEGER, MAX_INTEGER, "close")
    _word(volume, -MAX_INTEGER, MAX_INTEGER, "volume")
    _word(trades, 0, MAX_INTEGER, "trades")
    return BarEvent(open_time_us, duration_us, open, high, low, close, volume, trades)

class BookEvent(Record):
    """A book snapshot or increment, best level first."""
    __slots__ = ("first_sequence", "last_sequence", "action", "bids", "asks",)

    def __init__(self, first_sequence=0, last_sequence=0, action=0, bids=(), asks=()):
        self.first_sequence = first_sequence
        self.last_sequence = last_sequence
        self.action = action
        self.bids = bids
        self.asks = asks


_BOOK_EVENT = Struct("<QQIII4x")


def write_book_event(header, value):
    tail = b"".join([_put_level(item) for item in value.bids]) + b"".join([_put_level(item) for item in value.asks])
    length = 96 + len(tail)
    return _put_header(4, length, header) + _BOOK_EVENT.pack(_word(value.first_sequence, 0, MAX_INTEGER, "first_sequence"), _word(value.last_sequence, 0, MAX_INTEGER, "last_sequence"), _word(value.action, 1, 2, "action"), len(value.bids), len(value.asks)) + tail


def read_book_event(frame):
    if len(frame) < 96:
        raise FrameError("length")
    first_sequence, last_sequence, action, bids_count, asks_count = _BOOK_EVENT.unpack_from(frame, 64)
    _word(first_sequence, 0, MAX_INTEGER, "first_sequence")
    _word(last_sequence, 0, MAX_INTEGER, "last_sequence")
    _word(action, 1, 2, "action")
    if len(frame) != 96 + bids_count * 16 + asks_count * 16:
        raise FrameError("length")
    at = 96
    bids = [_take_level(frame, at + 16 * i) for i in range(bids_count)]
    at += 16 * bids_count
    asks = [_take_level(frame, at + 16 * i) for i in range(asks_count)]
    at += 16 * asks_count
    return BookEvent(first_sequence, last_sequence, action, bids, asks)

class ExecutionEvent(Record):
    """What became of an order of this instance."""
    __slots__ = ("report", "side", "liquidity", "reason", "client_order_id", "idempotency_key", "price", "quantity", "remaining", "fee",)

    def __init__(self, report=0, side=0, liquidity=0, reason=0, client_order_id="", idempotency_key=0, price=0, quantity=0, remaining=0, fee=0):
        self.report = report
        self.side = side
        self.liquidity = liquidity
        self.reason = reason
        self.client_order_id = client_order_id
        self.idempotency_key = idempotency_key
        self.price = price
        self.quantity = quantity
        self.remaining = remaining
        self.fee = fee


_EXECUTION_EVENT = Struct("<HBBI32sQqqqq")


def write_execution_event(header, value):
    length = 144
    return _put_header(5, length, header) + _EXECUTION_EVENT.pack(_word(value.report, 1, 7, "report"), _word(value.side, 1, 2, "side"), _word(value.liquidity, 0, 2, "liquidity"), _word(value.reason, 0, 4294967295, "reason"), _put_text(value.client_order_id, 32, "client_order_id"), _word(value.idempotency_key, 0, MAX_INTEGER, "idempotency_key"), _word(value.price, -MAX_INTEGER, MAX_INTEGER, "price"), _word(value.quantity, -MAX_INTEGER, MAX_INTEGER, "quantity"), _word(value.remaining, -MAX_INTEGER, MAX_INTEGER, "remaining"), _word(value.fee, -MAX_INTEGER, MAX_INTEGER, "fee"))


def read_execution_event(frame):
    if len(frame) != 144:
        raise FrameError("length")
    report, side, liquidity, reason, client_order_id, idempotency_key, price, quantity, remaining, fee = _EXECUTION_EVENT.unpack_from(frame, 64)
    _word(report, 1, 7, "report")
    _word(side, 1, 2, "side")
    _word(liquidity, 0, 2, "liquidity")
    client_order_id = _take_text(client_order_id, "client_order_id")
    _word(idempotency_key, 0, MAX_INTEGER, "idempotency_key")
    _word(price, -MAX_INTEGER, MAX_INTEGER, "price")
    _word(quantity, -MAX_INTEGER, MAX_INTEGER, "quantity")
    _word(remaining, -MAX_INTEGER, MAX_INTEGER, "remaining")
    _word(fee, -MAX_INTEGER, MAX_INTEGER, "fee")
    return ExecutionEvent(report, side, liquidity, reason, client_order_id, idempotency_key, price, quantity, remaining, fee)

class SafetyEvent(Record):
    """Safety mode or kill switch changed."""
    __slots__ = ("mode", "kill_switch", "generation",)

    def __init__(self, mode=0, kill_switch=0, generation=0):
        self.mode = mode
        self.kill_switch = kill_switch
        self.generation = generation


_SAFETY_EVENT = Struct("<IIQ")


def write_safety_event(header, value):
    length = 80
    return _put_header(6, length, header) + _SAFETY_EVENT.pack(_word(value.mode, 1, 3, "mode"), _word(value.kill_switch, 0, 4, "kill_switch"), _word(value.generation, 0, MAX_INTEGER, "generation"))


def read_safety_event(frame):
    if len(frame) != 80:
        raise FrameError("length")
    mode, kill_switch, generation = _SAFETY_EVENT.unpack_from(frame, 64)
    _word(mode, 1, 3, "mode")
    _word(kill_switch, 0, 4, "kill_switch")
    _word(generation, 0, MAX_INTEGER, "generation")
    return SafetyEvent(mode, kill_switch, generation)

class TimerEvent(Record):
    """A requested timer is due."""
    __slots__ = ("timer_id", "due_us",)

    def __init__(self, timer_id=0, due_us=0):
        self.timer_id = timer_id
        self.due_us = due_us


_TIMER_EVENT = Struct("<I4xq")


def write_timer_event(header, value):
    length = 80
    return _put_header(7, length, header) + _TIMER_EVENT.pack(_word(value.timer_id, 0, 4294967295, "timer_id"), _word(value.due_us, -MAX_INTEGER, MAX_INTEGER, "due_us"))


def read_timer_event(frame):
    if len(frame) != 80:
        raise FrameError("length")
    timer_id, due_us = _TIMER_EVENT.unpack_from(frame, 64)
    _word(due_us, -MAX_INTEGER, MAX_INTEGER, "due_us")
    return TimerEvent(timer_id, due_us)

class SignalEvent(Record):
    """A manual signal, JSON."""
    __slots__ = ("json",)

    def __init__(self, json=b""):
        self.json = json


_SIGNAL_EVENT = Struct("<I4x")


def write_signal_event(header, value):
    tail = _pad(value.json)
    length = 72 + len(tail)
    return _put_header(8, length, header) + _SIGNAL_EVENT.pack(len(value.json)) + tail


def read_signal_event(frame):
    if len(frame) < 72:
        raise FrameError("length")
    (json_bytes,) = _SIGNAL_EVENT.unpack_from(frame, 64)
    if len(frame) != 72 + _pad8(json_bytes):
        raise FrameError("length")
    at = 72
    json = bytes(frame[at:at + json_bytes])
    at += _pad8(json_bytes)
    return SignalEvent(json)

class ConfigEvent(Record):
    """A new configuration, complete and validated, JSON."""
    __slots__ = ("apply", "generation", "json",)

    def __init__(self, apply=0, generation=0, json=b""):
        self.apply = apply
        self.generation = generation
        self.json = json


_CONFIG_EVENT = Struct("<I4xQI4x")


def write_config_event(header, value):
    tail = _pad(value.json)
    length = 88 + len(tail)
    return _put_header(9, length, header) + _CONFIG_EVENT.pack(_word(value.apply, 1, 3, "apply"), _word(value.generation, 0, MAX_INTEGER, "generation"), len(value.json)) + tail


def read_config_event(frame):
    if len(frame) < 88:
        raise FrameError("length")
    apply, generation, json_bytes = _CONFIG_EVENT.unpack_from(frame, 64)
    _word(apply, 1, 3, "apply")
    _word(generation, 0, MAX_INTEGER, "generation")
    if len(frame) != 88 + _pad8(json_bytes):
        raise FrameError("length")
    at = 88
    json = bytes(frame[at:at + json_bytes])
    at += _pad8(json_bytes)
    return ConfigEvent(apply, generation, json)

class InitCall(Record):
    """First frame of an instance."""
    __slots__ = ("abi_version", "mode", "run_id", "seed", "next_intent_key", "bot", "strategy", "version", "instance", "bot_id", "strategy_id", "strategy_version", "instance_id", "state_version", "instruments", "config", "state",)

    def __init__(self, abi_version=0, mode=0, run_id=ZERO16, seed=ZERO16, next_intent_key=0, bot=0, strategy=0, version=0, instance=0, bot_id="", strategy_id="", strategy_version="", instance_id="", state_version=0, instruments=(), config=b"", state=b""):
        self.abi_version = abi_version
        self.mode = mode
        self.run_id = run_id
        self.seed = seed
        self.next_intent_key = next_intent_key
        self.bot = bot
        self.strategy = strategy
        self.version = version
        self.instance = instance
        self.bot_id = bot_id
        self.strategy_id = strategy_id
        self.strategy_version = strategy_version
        self.instance_id = instance_id
        self.state_version = state_version
        self.instruments = instruments
        self.config = config
        self.state = state


_INIT_CALL = Struct("<II16s16sQIIII64s64s64s64sIIII")


def write_init_call(header, value):
    tail = b"".join([_put_instrument(item) for item in value.instruments]) + _pad(value.config) + _pad(value.state)
    length = 400 + len(tail)
    return _put_header(32, length, header) + _INIT_CALL.pack(_word(value.abi_version, 0, 4294967295, "abi_version"), _word(value.mode, 1, 4, "mode"), _id(value.run_id, "run_id"), _id(value.seed, "seed"), _word(value.next_intent_key, 0, MAX_INTEGER, "next_intent_key"), _word(value.bot, 0, 4294967295, "bot"), _word(value.strategy, 0, 4294967295, "strategy"), _word(value.version, 0, 4294967295, "version"), _word(value.instance, 0, 4294967295, "instance"), _put_text(value.bot_id, 64, "bot_id"), _put_text(value.strategy_id, 64, "strategy_id"), _put_text(value.strategy_version, 64, "strategy_version"), _put_text(value.instance_id, 64, "instance_id"), _word(value.state_version, 0, 4294967295, "state_version"), len(value.instruments), len(value.config), len(value.state)) + tail


def read_init_call(frame):
    if len(frame) < 400:
        raise FrameError("length")
    abi_version, mode, run_id, seed, next_intent_key, bot, strategy, version, instance, bot_id, strategy_id, strategy_version, instance_id, state_version, instruments_count, config_bytes, state_bytes = _INIT_CALL.unpack_from(frame, 64)
    _word(mode, 1, 4, "mode")
    _word(next_intent_key, 0, MAX_INTEGER, "next_intent_key")
    bot_id = _take_text(bot_id, "bot_id")
    strategy_id = _take_text(strategy_id, "strategy_id")
    strategy_version = _take_text(strategy_version, "strategy_version")
    instance_id = _take_text(instance_id, "instance_id")
    if len(frame) != 400 + instruments_count * 144 + _pad8(config_bytes) + _pad8(state_bytes):
        raise FrameError("length")
    at = 400
    instruments = [_take_instrument(frame, at + 144 * i) for i in range(instruments_count)]
    at += 144 * instruments_count
    config = bytes(frame[at:at + config_bytes])
    at += _pad8(config_bytes)
    state = bytes(frame[at:at + state_bytes])
    at += _pad8(state_bytes)
    return InitCall(abi_version, mode, run_id, seed, next_intent_key, bot, strategy, version, instance, bot_id, strategy_id, strategy_version, instance_id, state_version, instruments, config, state)

class ShutdownCall(Record):
    """Last frame of an instance."""
    __slots__ = ("reason",)

    def __init__(self, reason=0):
        self.reason = reason


_SHUTDOWN_CALL = Struct("<I4x")


def write_shutdown_call(header, value):
    length = 72
    return _put_header(33, length, header) + _SHUTDOWN_CALL.pack(_word(value.reason, 1, 5, "reason"))


def read_shutdown_call(frame):
    if len(frame) != 72:
        raise FrameError("length")
    (reason,) = _SHUTDOWN_CALL.unpack_from(frame, 64)
    _word(reason, 1, 5, "reason")
    return ShutdownCall(reason)

class HealthcheckCall(Record):
    """Asks for a health_report."""
    __slots__ = ()

    def __init__(self):
        pass


_HEALTHCHECK_CALL = Struct("<")


def write_healthcheck_call(header, value):
    length = 64
    return _put_header(34, length, header) + _HEALTHCHECK_CALL.pack()


def read_healthcheck_call(frame):
    if len(frame) != 64:
        raise FrameError("length")
    return HealthcheckCall()

class SaveStateCall(Record):
    """Asks for a saved_state."""
    __slots__ = ()

    def __init__(self):
        pass


_SAVE_STATE_CALL = Struct("<")


def write_save_state_call(header, value):
    length = 64
    return _put_header(35, length, header) + _SAVE_STATE_CALL.pack()


def read_save_state_call(frame):
    if len(frame) != 64:
        raise FrameError("length")
    return SaveStateCall()

class MigrateStateCall(Record):
    """Asks to turn an older state into a saved_state of the own version."""
    __slots__ = ("from_version", "state",)

    def __init__(self, from_version=0, state=b""):
        self.from_version = from_version
        self.state = state


_MIGRATE_STATE_CALL = Struct("<II")


def write_migrate_state_call(header, value):
    tail = _pad(value.state)
    length = 72 + len(tail)
    return _put_header(36, length, header) + _MIGRATE_STATE_CALL.pack(_word(value.from_version, 0, 4294967295, "from_version"), len(value.state)) + tail


def read_migrate_state_call(frame):
    if len(frame) < 72:
        raise FrameError("length")
    from_version, state_bytes = _MIGRATE_STATE_CALL.unpack_from(frame, 64)
    if len(frame) != 72 + _pad8(state_bytes):
        raise FrameError("length")
    at = 72
    state = bytes(frame[at:at + state_bytes])
    at += _pad8(state_bytes)
    return MigrateStateCall(from_version, state)

class OrderIntent(Record):
    """Wishes an order."""
    __slots__ = ("instrument", "side", "order_type", "time_in_force", "options", "price", "quantity",)

    def __init__(self, instrument=0, side=0, order_type=0, time_in_force=0, options=0, price=0, quantity=0):
        self.instrument = instrument
        self.side = side
        self.order_type = order_type
        self.time_in_force = time_in_force
        self.options = options
        self.price = price
        self.quantity = quantity


_ORDER_INTENT = Struct("<IBBBBqq")


def write_order_intent(meta, value):
    length = 112
    return _RECORD.pack(1, 0, length) + _put_meta(meta) + _ORDER_INTENT.pack(_word(value.instrument, 0, 4294967295, "instrument"), _word(value.side, 1, 2, "side"), _word(value.order_type, 1, 2, "order_type"), _word(value.time_in_force, 1, 3, "time_in_force"), _word(value.options, 0, 255, "options"), _word(value.price, -MAX_INTEGER, MAX_INTEGER, "price"), _word(value.quantity, -MAX_INTEGER, MAX_INTEGER, "quantity"))


def read_order_intent(frame):
    if len(frame) != 112:
        raise FrameError("length")
    instrument, side, order_type, time_in_force, options, price, quantity = _ORDER_INTENT.unpack_from(frame, 88)
    _word(side, 1, 2, "side")
    _word(order_type, 1, 2, "order_type")
    _word(time_in_force, 1, 3, "time_in_force")
    _word(price, -MAX_INTEGER, MAX_INTEGER, "price")
    _word(quantity, -MAX_INTEGER, MAX_INTEGER, "quantity")
    return OrderIntent(instrument, side, order_type, time_in_force, options, price, quantity)

class CancelIntent(Record):
    """Wishes an order of its own gone."""
    __slots__ = ("target_key", "instrument",)

    def __init__(self, target_key=0, instrument=0):
        self.target_key = target_key
        self.instrument = instrument


_CANCEL_INTENT = Struct("<QI4x")


def write_cancel_intent(meta, value):
    length = 104
    return _RECORD.pack(2, 0, length) + _put_meta(meta) + _CANCEL_INTENT.pack(_word(value.target_key, 0, MAX_INTEGER, "target_key"), _word(value.instrument, 0, 4294967295, "instrument"))


def read_cancel_intent(frame):
    if len(frame) != 104:
        raise FrameError("length")
    target_key, instrument = _CANCEL_INTENT.unpack_from(frame, 88)
    _word(target_key, 0, MAX_INTEGER, "target_key")
    return CancelIntent(target_key, instrument)

class AmendIntent(Record):
    """Wishes an order of its own changed."""
    __slots__ = ("target_key", "instrument", "price", "quantity",)

    def __init__(self, target_key=0, instrument=0, price=0, quantity=0):
        self.target_key = target_key
        self.instrument = instrument
        self.price = price
        self.quantity = quantity


_AMEND_INTENT = Struct("<QI4xqq")


def write_amend_intent(meta, value):
    length = 120
    return _RECORD.pack(3, 0, length) + _put_meta(meta) + _AMEND_INTENT.pack(_word(value.target_key, 0, MAX_INTEGER, "target_key"), _word(value.instrument, 0, 4294967295, "instrument"), _word(value.price, -MAX_INTEGER, MAX_INTEGER, "price"), _word(value.quantity, -MAX_INTEGER, MAX_INTEGER, "quantity"))


def read_amend_intent(frame):
    if len(frame) != 120:
        raise FrameError("length")
    target_key, instrument, price, quantity = _AMEND_INTENT.unpack_from(frame, 88)
    _word(target_key, 0, MAX_INTEGER, "target_key")
    _word(price, -MAX_INTEGER, MAX_INTEGER, "price")
    _word(quantity, -MAX_INTEGER, MAX_INTEGER, "quantity")
    return AmendIntent(target_key, instrument, price, quantity)

class PositionIntent(Record):
    """Wishes a position; how is the host's business."""
    __slots__ = ("instrument", "order_type", "target", "limit_price",)

    def __init__(self, instrument=0, order_type=0, target=0, limit_price=0):
        self.instrument = instrument
        self.order_type = order_type
        self.target = target
        self.limit_price = limit_price


_POSITION_INTENT = Struct("<IIqq")


def write_position_intent(meta, value):
    length = 112
    return _RECORD.pack(4, 0, length) + _put_meta(meta) + _POSITION_INTENT.pack(_word(value.instrument, 0, 4294967295, "instrument"), _word(value.order_type, 1, 2, "order_type"), _word(value.target, -MAX_INTEGER, MAX_INTEGER, "target"), _word(value.limit_price, -MAX_INTEGER, MAX_INTEGER, "limit_price"))


def read_position_intent(frame):
    if len(frame) != 112:
        raise FrameError("length")
    instrument, order_type, target, limit_price = _POSITION_INTENT.unpack_from(frame, 88)
    _word(order_type, 1, 2, "order_type")
    _word(target, -MAX_INTEGER, MAX_INTEGER, "target")
    _word(limit_price, -MAX_INTEGER, MAX_INTEGER, "limit_price")
    return PositionIntent(instrument, order_type, target, limit_price)

class AlertIntent(Record):
    """Tells a person something coded."""
    __slots__ = ("code", "severity", "args", "arg0", "arg1", "arg2", "arg3",)

    def __init__(self, code=0, severity=0, args=0, arg0=0, arg1=0, arg2=0, arg3=0):
        self.code = code
        self.severity = severity
        self.args = args
        self.arg0 = arg0
        self.arg1 = arg1
        self.arg2 = arg2
        self.arg3 = arg3


_ALERT_INTENT = Struct("<IBB2xqqqq")


def write_alert_intent(meta, value):
    length = 128
    return _RECORD.pack(5, 0, length) + _put_meta(meta) + _ALERT_INTENT.pack(_word(value.code, 0, 4294967295, "code"), _word(value.severity, 1, 3, "severity"), _word(value.args, 0, 255, "args"), _word(value.arg0, -MAX_INTEGER, MAX_INTEGER, "arg0"), _word(value.arg1, -MAX_INTEGER, MAX_INTEGER, "arg1"), _word(value.arg2, -MAX_INTEGER, MAX_INTEGER, "arg2"), _word(value.arg3, -MAX_INTEGER, MAX_INTEGER, "arg3"))


def read_alert_intent(frame):
    if len(frame) != 128:
        raise FrameError("length")
    code, severity, args, arg0, arg1, arg2, arg3 = _ALERT_INTENT.unpack_from(frame, 88)
    _word(severity, 1, 3, "severity")
    _word(arg0, -MAX_INTEGER, MAX_INTEGER, "arg0")
    _word(arg1, -MAX_INTEGER, MAX_INTEGER, "arg1")
    _word(arg2, -MAX_INTEGER, MAX_INTEGER, "arg2")
    _word(arg3, -MAX_INTEGER, MAX_INTEGER, "arg3")
    return AlertIntent(code, severity, args, arg0, arg1, arg2, arg3)

class NoopIntent(Record):
    """Decided to do nothing, on the record."""
    __slots__ = ("reason",)

    def __init__(self, reason=0):
        self.reason = reason


_NOOP_INTENT = Struct("<I4x")


def write_noop_intent(meta, value):
    length = 96
    return _RECORD.pack(6, 0, length) + _put_meta(meta) + _NOOP_INTENT.pack(_word(value.reason, 0, 4294967295, "reason"))


def read_noop_intent(frame):
    if len(frame) != 96:
        raise FrameError("length")
    (reason,) = _NOOP_INTENT.unpack_from(frame, 88)
    return NoopIntent(reason)

class RiskHint(Record):
    """Asks the risk side to look."""
    __slots__ = ("instrument", "hint", "value",)

    def __init__(self, instrument=0, hint=0, value=0.0):
        self.instrument = instrument
        self.hint = hint
        self.value = value


_RISK_HINT = Struct("<IId")


def write_risk_hint(meta, value):
    length = 104
    return _RECORD.pack(7, 0, length) + _put_meta(meta) + _RISK_HINT.pack(_word(value.instrument, 0, 4294967295, "instrument"), _word(value.hint, 1, 5, "hint"), _real(value.value, "value"))


def read_risk_hint(frame):
    if len(frame) != 104:
        raise FrameError("length")
    instrument, hint, value = _RISK_HINT.unpack_from(frame, 88)
    _word(hint, 1, 5, "hint")
    _real(value, "value")
    return RiskHint(instrument, hint, value)

class StateUpdate(Record):
    """State changed."""
    __slots__ = ("checkpoint",)

    def __init__(self, checkpoint=0):
        self.checkpoint = checkpoint


_STATE_UPDATE = Struct("<I4x")


def write_state_update(value):
    length = 16
    return _RECORD.pack(16, 0, length) + _STATE_UPDATE.pack(_word(value.checkpoint, 0, 4294967295, "checkpoint"))


def read_state_update(frame):
    if len(frame) != 16:
        raise FrameError("length")
    (checkpoint,) = _STATE_UPDATE.unpack_from(frame, 8)
    return StateUpdate(checkpoint)

class TelemetryHint(Record):
    """A short tag and a score; never free text."""
    __slots__ = ("tag", "score",)

    def __init__(self, tag="", score=0.0):
        self.tag = tag
        self.score = score


_TELEMETRY_HINT = Struct("<32sd")


def write_telemetry_hint(value):
    length = 48
    return _RECORD.pack(17, 0, length) + _TELEMETRY_HINT.pack(_put_text(value.tag, 32, "tag"), _real(value.score, "score"))


def read_telemetry_hint(frame):
    if len(frame) != 48:
        raise FrameError("length")
    tag, score = _TELEMETRY_HINT.unpack_from(frame, 8)
    tag = _take_text(tag, "tag")
    _real(score, "score")
    return TelemetryHint(tag, score)

class TimerRequest(Record):
    """Wishes on_timer at a time; replaces the timer of the same id."""
    __slots__ = ("timer_id", "at_us",)

    def __init__(self, timer_id=0, at_us=0):
        self.timer_id = timer_id
        self.at_us = at_us


_TIMER_REQUEST = Struct("<I4xq")


def write_timer_request(value):
    length = 24
    return _RECORD.pack(18, 0, length) + _TIMER_REQUEST.pack(_word(value.timer_id, 0, 4294967295, "timer_id"), _word(value.at_us, -MAX_INTEGER, MAX_INTEGER, "at_us"))


def read_timer_request(frame):
    if len(frame) != 24:
        raise FrameError("length")
    timer_id, at_us = _TIMER_REQUEST.unpack_from(frame, 8)
    _word(at_us, -MAX_INTEGER, MAX_INTEGER, "at_us")
    return TimerRequest(timer_id, at_us)

class LogLine(Record):
    """A bounded line for people."""
    __slots__ = ("level", "text",)

    def __init__(self, level=0, text=b""):
        self.level = level
        self.text = text


_LOG_LINE = Struct("<II")


def write_log_line(value):
    tail = _pad(value.text)
    length = 16 + len(tail)
    return _RECORD.pack(19, 0, length) + _LOG_LINE.pack(_word(value.level, 1, 4, "level"), len(value.text)) + tail


def read_log_line(frame):
    if len(frame) < 16:
        raise FrameError("length")
    level, text_bytes = _LOG_LINE.unpack_from(frame, 8)
    _word(level, 1, 4, "level")
    if len(frame) != 16 + _pad8(text_bytes):
        raise FrameError("length")
    at = 16
    text = bytes(frame[at:at + text_bytes])
    at += _pad8(text_bytes)
    return LogLine(level, text)

class SavedState(Record):
    """Answer to save_state and migrate_state."""
    __slots__ = ("schema_version", "state",)

    def __init__(self, schema_version=0, state=b""):
        self.schema_version = schema_version
        self.state = state


_SAVED_STATE = Struct("<II")


def write_saved_state(value):
    tail = _pad(value.state)
    length = 16 + len(tail)
    return _RECORD.pack(20, 0, length) + _SAVED_STATE.pack(_word(value.schema_version, 0, 4294967295, "schema_version"), len(value.state)) + tail


def read_saved_state(frame):
    if len(frame) < 16:
        raise FrameError("length")
    schema_version, state_bytes = _SAVED_STATE.unpack_from(frame, 8)
    if len(frame) != 16 + _pad8(state_bytes):
        raise FrameError("length")
    at = 16
    state = bytes(frame[at:at + state_bytes])
    at += _pad8(state_bytes)
    return SavedState(schema_version, state)

class HealthReport(Record):
    """Answer to healthcheck."""
    __slots__ = ("health", "reason",)

    def __init__(self, health=0, reason=0):
        self.health = health
        self.reason = reason


_HEALTH_REPORT = Struct("<II")


def write_health_report(value):
    length = 16
    return _RECORD.pack(21, 0, length) + _HEALTH_REPORT.pack(_word(value.health, 1, 3, "health"), _word(value.reason, 0, 4294967295, "reason"))


def read_health_report(frame):
    if len(frame) != 16:
        raise FrameError("length")
    health, reason = _HEALTH_REPORT.unpack_from(frame, 8)
    _word(health, 1, 3, "health")
    return HealthReport(health, reason)

class ErrorReport(Record):
    """Why the status is negative."""
    __slots__ = ("code", "text",)

    def __init__(self, code=0, text=b""):
        self.code = code
        self.text = text


_ERROR_REPORT = Struct("<II")


def write_error_report(value):
    tail = _pad(value.text)
    length = 16 + len(tail)
    return _RECORD.pack(22, 0, length) + _ERROR_REPORT.pack(_word(value.code, 0, 4294967295, "code"), len(value.text)) + tail


def read_error_report(frame):
    if len(frame) < 16:
        raise FrameError("length")
    code, text_bytes = _ERROR_REPORT.unpack_from(frame, 8)
    if len(frame) != 16 + _pad8(text_bytes):
        raise FrameError("length")
    at = 16
    text = bytes(frame[at:at + text_bytes])
    at += _pad8(text_bytes)
    return ErrorReport(code, text)

class ServiceRequest(Record):
    """Asks a model or signal service by its contract's name; Compute lane only. The answer comes as a signal_event."""
    __slots__ = ("request_id", "service", "json",)

    def __init__(self, request_id=0, service="", json=b""):
        self.request_id = request_id
        self.service = service
        self.json = json


_SERVICE_REQUEST = Struct("<Q32sI4x")


def write_service_request(value):
    tail = _pad(value.json)
    length = 56 + len(tail)
    return _RECORD.pack(23, 0, length) + _SERVICE_REQUEST.pack(_word(value.request_id, 0, MAX_INTEGER, "request_id"), _put_text(value.service, 32, "service"), len(value.json)) + tail


def read_service_request(frame):
    if len(frame) < 56:
        raise FrameError("length")
    request_id, service, json_bytes = _SERVICE_REQUEST.unpack_from(frame, 8)
    _word(request_id, 0, MAX_INTEGER, "request_id")
    service = _take_text(service, "service")
    if len(frame) != 56 + _pad8(json_bytes):
        raise FrameError("length")
    at = 56
    json = bytes(frame[at:at + json_bytes])
    at += _pad8(json_bytes)
    return ServiceRequest(request_id, service, json)
