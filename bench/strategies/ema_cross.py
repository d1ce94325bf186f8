"""The default pack's moving-average cross in Python, for measuring: the same decisions as in Rust and TypeScript."""
import rumi_sdk as rumi
from rumi_sdk import ExecutionEvent, TradeEvent

SCALE = 1_024
USELESS = rumi.QUALITY_DUP | rumi.QUALITY_OUT_OF_ORDER
DOUBTFUL = rumi.QUALITY_STALE | rumi.QUALITY_GAP


def _divided(value, by):
    """Towards zero, as the other languages divide."""
    return value // by if value >= 0 else -(-value // by)


class EmaCross(rumi.Strategy):
    STATE_VERSION = 2

    def on_init(self, ctx, config, restored):
        self.quantity = rumi.parse_decimal(config["order_quantity"], ctx.instruments[0].quantity_digits)
        self.fast_half = (config["fast_trades"] + 1) // 2
        self.slow_half = (config["slow_trades"] + 1) // 2
        self.warmup = config["slow_trades"]
        self.threshold_ppm = config["threshold_ppm"]
        self.allow_short = config["allow_short"]
        self.cooldown_us = config["cooldown"] * 1_000
        self.risk = rumi.RiskContext(
            config["max_slippage_bps"], config["max_latency"] * 1_000, config["expected_holding"] * 1_000,
            rumi.parse_decimal(config["budget"], rumi.MONEY_DIGITS),
        )
        self.fast = self.slow = self.trades = self.position = self.pending_key = self.quiet_until_us = 0

    def on_event(self, ctx, event):
        if type(event) is TradeEvent:
            self._on_trade(ctx, event.price)
        elif type(event) is ExecutionEvent:
            self._on_execution(ctx, event)

    def _on_trade(self, ctx, price):
        flags = ctx.flags
        if flags & USELESS or price < 1:
            return
        scaled = price * SCALE
        fast, slow = self.fast, self.slow
        if self.trades == 0:
            fast = slow = scaled
        self.trades += 1
        self.fast = fast = fast + _divided(scaled - fast, self.fast_half)
        self.slow = slow = slow + _divided(scaled - slow, self.slow_half)
        if self.pending_key or self.trades < self.warmup or flags & DOUBTFUL:
            return
        margin = slow // 1_000_000 * self.threshold_ppm
        if fast > slow + margin:
            wanted = self.quantity
        elif fast < slow - margin:
            wanted = -self.quantity if self.allow_short else 0
        else:
            return
        delta = wanted - self.position
        if delta == 0 or ctx.now_us < self.quiet_until_us:
            return
        self.pending_key = ctx.order(self.risk, rumi.SIDE_BUY if delta > 0 else rumi.SIDE_SELL, abs(delta))
        spread = _divided(fast - slow, max(slow // 1_000_000, 1))
        ctx.telemetry("ema.spread_ppm", spread)

    def _on_execution(self, ctx, report):
        if report.report in (rumi.EXECUTION_REPORT_PARTIALLY_FILLED, rumi.EXECUTION_REPORT_FILLED):
            self.position += report.quantity if report.side == rumi.SIDE_BUY else -report.quantity
            ctx.request_checkpoint()
        ended = report.report in (rumi.EXECUTION_REPORT_FILLED, rumi.EXECUTION_REPORT_REJECTED, rumi.EXECUTION_REPORT_CANCELLED)
        if ended and report.idempotency_key == self.pending_key:
            self.pending_key = 0
            self.quiet_until_us = ctx.now_us + self.cooldown_us
