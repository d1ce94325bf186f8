"""The conformance strategy in Python; strategy.rs and strategy.ts do the same."""
import json
from struct import Struct

import rumi_sdk as rumi

RISK = rumi.RiskContext(max_slippage_bps=7, max_latency_us=8_000, expected_holding_us=9_000_000, budget=10_00000000)
STATE = Struct("<qq")


class Conformance(rumi.Strategy):
    STATE_VERSION = 2

    def on_init(self, ctx, config, restored):
        if config.get("refuse") is True:
            raise rumi.Refusal("as asked", rumi.STATUS_CONFIG_REFUSED)
        self.events = self.last_price = 0
        if restored is not None:
            version, data = restored
            if version != self.STATE_VERSION or len(data) != STATE.size:
                raise rumi.Refusal("state", rumi.STATUS_STATE_REFUSED)
            self.events, self.last_price = STATE.unpack(data)
        ctx.telemetry("init.events", self.events)
        ctx.telemetry("init.instruments", len(ctx.instruments))
        ctx.telemetry("init.mode", ctx.mode)
        ctx.timer(7, ctx.now_us + 1_000)

    def on_event(self, ctx, event):
        if isinstance(event, rumi.TradeEvent):
            self.on_trade(ctx, event)
        elif isinstance(event, rumi.QuoteEvent):
            ctx.telemetry("quote.spread", event.ask_price - event.bid_price)
        elif isinstance(event, rumi.BarEvent):
            ctx.telemetry("bar.close", event.close + event.trades)
        elif isinstance(event, rumi.BookEvent):
            ctx.telemetry("book.levels", len(event.bids) * 1_000 + len(event.asks))
            ctx.telemetry("book.action", event.action)
        elif isinstance(event, rumi.ExecutionEvent):
            ctx.telemetry("execution.key", event.idempotency_key)
            ctx.telemetry("execution.reason", event.reason)
            ctx.telemetry("execution.fee", event.fee)
        elif isinstance(event, rumi.SafetyEvent):
            ctx.telemetry("safety.mode", event.mode)
        elif isinstance(event, rumi.SignalEvent):
            ctx.telemetry("signal.n", json.loads(event.json)["n"])
        elif isinstance(event, rumi.ConfigEvent):
            ctx.telemetry("config.n", json.loads(event.json)["n"])

    def on_trade(self, ctx, trade):
        self.events += 1
        self.last_price = trade.price
        if trade.price == 1:
            ctx.order(RISK, rumi.SIDE_SELL, 50, rumi.ORDER_TYPE_LIMIT, trade.quantity, rumi.TIME_IN_FORCE_GTC, 2)
        elif trade.price == 2:
            ctx.cancel(RISK, 41)
        elif trade.price == 3:
            ctx.amend(RISK, 41, price=12)
        elif trade.price == 4:
            ctx.position(RISK, -3)
        elif trade.price == 5:
            ctx.alert(RISK, 77, rumi.SEVERITY_CRITICAL, (1, -2))
        elif trade.price == 6:
            ctx.noop(RISK, 9)
        elif trade.price == 7:
            ctx.risk_hint(RISK, rumi.RISK_HINT_VOLATILE, 0.25)
        elif trade.price == 8:
            for _ in range(3):
                ctx.telemetry("random", ctx.random.below(1_000))
        elif trade.price == 9:
            ctx.log("price nine \u00fcber \u4e5d", rumi.LOG_LEVEL_WARNING)
        elif trade.price == 10:
            raise rumi.Refusal("ten")
        elif trade.price == 11:
            ctx.request_checkpoint()
            ctx.telemetry("eleven", -1.5)
            ctx.timer(7, 0)
        elif trade.price == 12:
            ctx.telemetry("header.cursor", ctx.header.cursor)
            ctx.telemetry("now", ctx.now_us)
            ctx.telemetry("trade.id", trade.trade_id)
            ctx.telemetry("trade.aggressor", trade.aggressor)
            ctx.telemetry("trade.quantity", trade.quantity)

    def on_timer(self, ctx, timer_id, due_us):
        ctx.telemetry("timer", timer_id)
        ctx.timer(timer_id, due_us + 5)

    def on_shutdown(self, ctx, reason):
        ctx.telemetry("shutdown", reason)

    def on_healthcheck(self, ctx):
        return rumi.HEALTH_DEGRADED, 5

    def save_state(self):
        return STATE.pack(self.events, self.last_price)

    @classmethod
    def migrate_state(cls, from_version, data):
        return data + bytes(8) if from_version == 1 and len(data) == 8 else None
