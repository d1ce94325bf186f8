"""Mean reversion: buys what fell far below its mean of recent trades, sells it back at the mean.

Whole numbers only. The distance is measured in mean absolute deviations of the same window. One order at a time,
a cooldown after each (five minutes at least after a refusal of the Intent Gate, which would only refuse the same again,
half a minute after a restriction of the moment, which may be over by then),
a longest holding time; doubtful data and safety modes open nothing new.
"""
from collections import deque
from struct import Struct

import rumi_sdk as rumi

# Position, entry time, pending key, pending since, cancel sent, quiet until, safety mode, prices that follow.
_HEAD = Struct("<8q")
# Shortest quiet time after a refusal of the Intent Gate.
REFUSED_QUIET_US = 300_000_000
# The same after a restriction of the moment: safety mode, health, breaker, data quality.
RESTRICTED_QUIET_US = 30_000_000
DOUBTFUL = rumi.QUALITY_STALE | rumi.QUALITY_GAP
USELESS = rumi.QUALITY_DUP | rumi.QUALITY_OUT_OF_ORDER


class MeanReversion(rumi.Strategy):
    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        if not ctx.instruments:
            raise rumi.Refusal("no instrument", rumi.STATUS_CONFIG_REFUSED)
        self._configure(ctx, config)
        self.prices = deque()
        self.total = 0
        self.position = self.entered_us = self.pending_key = self.pending_since_us = self.cancel_sent = self.quiet_until_us = 0
        self.safety = rumi.SAFETY_MODE_NORMAL
        if restored is not None:
            self._restore(*restored)

    def _configure(self, ctx, config):
        instrument = ctx.instruments[0]
        lot = max(instrument.lot_size, 1)
        quantity = rumi.parse_decimal(config["order_quantity"], instrument.quantity_digits) // lot * lot
        if not max(instrument.min_quantity, 1) <= quantity <= instrument.max_quantity:
            raise rumi.Refusal("order_quantity outside the instrument's bounds", rumi.STATUS_CONFIG_REFUSED)
        self.quantity = quantity
        self.window = config["window_trades"]
        self.entry_percent = config["entry_deviation_percent"]
        self.exit_percent = config["exit_deviation_percent"]
        self.least_ppm = config["least_deviation_ppm"]
        self.limit = config["order_type"] == "limit"
        self.allow_short = config["allow_short"]
        self.cooldown_us = config["cooldown"] * 1_000
        self.order_timeout_us = config["order_timeout"] * 1_000
        self.longest_holding_us = config["longest_holding"] * 1_000
        self.risk = rumi.RiskContext(
            config["max_slippage_bps"], config["max_latency"] * 1_000, self.longest_holding_us, rumi.parse_decimal(config["budget"], rumi.MONEY_DIGITS),
        )

    def on_event(self, ctx, event):
        if isinstance(event, rumi.TradeEvent):
            if ctx.header.instrument == 0:
                self._on_trade(ctx, event.price)
        elif isinstance(event, rumi.ExecutionEvent):
            self._on_execution(ctx, event)
        elif isinstance(event, rumi.SafetyEvent):
            self.safety = event.mode
        elif isinstance(event, rumi.ConfigEvent):
            import json
            self._configure(ctx, json.loads(event.json))

    def on_timer(self, ctx, timer_id, due_us):
        if self.pending_key and self.pending_key % 2**32 == timer_id and not self.cancel_sent:
            ctx.cancel(self.risk, self.pending_key)
            self.cancel_sent = 1

    def on_healthcheck(self, ctx):
        return rumi.HEALTH_HEALTHY, 0

    def _on_trade(self, ctx, price):
        flags = ctx.header.flags
        if flags & USELESS or price <= 0:
            return
        self.prices.append(price)
        self.total += price
        while len(self.prices) > self.window:
            self.total -= self.prices.popleft()
        if not flags & DOUBTFUL and len(self.prices) == self.window and not self.pending_key and ctx.now_us >= self.quiet_until_us:
            self._decide(ctx, price)

    def _decide(self, ctx, price):
        mean = self.total // self.window
        deviation = sum(abs(p - mean) for p in self.prices) // self.window
        deviation = max(deviation, mean * self.least_ppm // 1_000_000, 1)
        distance_percent = (price - mean) * 100 // deviation
        if self.position == 0:
            if self.safety != rumi.SAFETY_MODE_NORMAL:
                return
            if distance_percent <= -self.entry_percent:
                self._send(ctx, rumi.SIDE_BUY, self.quantity, price, distance_percent)
            elif self.allow_short and distance_percent >= self.entry_percent:
                self._send(ctx, rumi.SIDE_SELL, self.quantity, price, distance_percent)
            return
        held_too_long = ctx.now_us - self.entered_us > self.longest_holding_us
        if self.position > 0 and (held_too_long or distance_percent >= -self.exit_percent):
            self._send(ctx, rumi.SIDE_SELL, self.position, price, distance_percent)
        elif self.position < 0 and (held_too_long or distance_percent <= self.exit_percent):
            self._send(ctx, rumi.SIDE_BUY, -self.position, price, distance_percent)

    def _send(self, ctx, side, quantity, price, distance_percent):
        if self.limit:
            tick = max(ctx.instruments[0].tick_size, 1)
            key = ctx.order(self.risk, side, quantity, rumi.ORDER_TYPE_LIMIT, max(price // tick, 1) * tick, rumi.TIME_IN_FORCE_GTC)
            ctx.timer(key % 2**32, ctx.now_us + self.order_timeout_us)
        else:
            key = ctx.order(self.risk, side, quantity)
        self.pending_key, self.pending_since_us, self.cancel_sent = key, ctx.now_us, 0
        ctx.telemetry("reversion.distance", distance_percent / 100)

    def _on_execution(self, ctx, report):
        if report.report in (rumi.EXECUTION_REPORT_PARTIALLY_FILLED, rumi.EXECUTION_REPORT_FILLED):
            if self.position == 0:
                self.entered_us = ctx.now_us
            self.position += report.quantity if report.side == rumi.SIDE_BUY else -report.quantity
            ctx.request_checkpoint()
        elif report.report == rumi.EXECUTION_REPORT_CANCEL_REJECTED:
            self.cancel_sent = 0
        ended = report.report in (rumi.EXECUTION_REPORT_FILLED, rumi.EXECUTION_REPORT_REJECTED, rumi.EXECUTION_REPORT_CANCELLED)
        if ended and report.idempotency_key == self.pending_key:
            by_gate = report.report == rumi.EXECUTION_REPORT_REJECTED and report.reason >= rumi.REFUSAL_INTENT
            refused_us = RESTRICTED_QUIET_US if report.reason == rumi.REFUSAL_RESTRICTED else REFUSED_QUIET_US
            self.pending_key = 0
            self.quiet_until_us = ctx.now_us + max(self.cooldown_us, refused_us if by_gate else 0)

    def save_state(self):
        head = _HEAD.pack(
            self.position, self.entered_us, self.pending_key, self.pending_since_us, self.cancel_sent, self.quiet_until_us, self.safety, len(self.prices),
        )
        return head + b"".join(price.to_bytes(8, "little") for price in self.prices)

    def _restore(self, version, data):
        if version != self.STATE_VERSION or len(data) < _HEAD.size or len(data) % 8:
            raise rumi.Refusal("state of version %d" % version, rumi.STATUS_STATE_REFUSED)
        (self.position, self.entered_us, self.pending_key, self.pending_since_us, self.cancel_sent, self.quiet_until_us, self.safety, count) = _HEAD.unpack_from(data)
        if len(data) != _HEAD.size + 8 * count:
            raise rumi.Refusal("state length", rumi.STATUS_STATE_REFUSED)
        self.prices = deque(int.from_bytes(data[at:at + 8], "little") for at in range(_HEAD.size, len(data), 8))
        self.total = sum(self.prices)
