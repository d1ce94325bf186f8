"""Hostile fixture: orders that lack one metadata field each: event c lacks field c % 11."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        call = ctx._init
        fields = [call.bot, call.strategy, call.version, call.instance, call.run_id, ctx.header.trace_id, ctx._next_key, 10, 1_000_000, 1, 1]
        missing = [0, 0, 0, 0, rumi.ZERO16, rumi.ZERO16, 0, rumi.MISSING_U32, rumi.MISSING_U32, rumi.MISSING_I64, rumi.MISSING_I64]
        lacking = ctx.header.cursor % 11
        fields[lacking] = missing[lacking]
        ctx._next_key += 1
        ctx._emit(rumi.write_order_intent(rumi.IntentMeta(*fields), rumi.OrderIntent(0, rumi.SIDE_BUY, rumi.ORDER_TYPE_MARKET, rumi.TIME_IN_FORCE_IOC, 0, 0, 1)))
