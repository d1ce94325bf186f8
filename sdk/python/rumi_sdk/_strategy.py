"""The class a strategy derives from, and exact decimals for its configuration."""
from ._context import Refusal
from ._generated import MAX_INTEGER, STATUS_CONFIG_REFUSED


class Strategy:
    """Override what you need. Events are the ABI's own records (TradeEvent, ...); ctx.header tells when and how good."""

    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        """config: dict, validated by the host; restored: (version, bytes) or None. Raise Refusal to refuse."""

    def on_event(self, ctx, event):
        """One trade, quote, bar, book, execution, safety, signal or config event."""

    def on_timer(self, ctx, timer_id, due_us):
        """A timer that ctx.timer asked for."""

    def on_shutdown(self, ctx, reason):
        """The last call."""

    # Optional: define on_healthcheck(self, ctx) -> (health, reason) to answer health checks.

    def save_state(self):
        """-> bytes of STATE_VERSION."""
        return b""

    @classmethod
    def migrate_state(cls, from_version, data):
        """-> bytes of STATE_VERSION, or None to refuse."""
        return None


def parse_decimal(text, digits):
    """'12.50' scaled by 10**digits; Refusal when malformed, too fine or too large."""
    sign, body = (-1, text[1:]) if isinstance(text, str) and text.startswith("-") else (1, text)
    whole, _, fraction = body.partition(".") if isinstance(body, str) else ("", "", "")
    fraction = fraction.rstrip("0")
    if not whole.isascii() or not whole.isdigit() or len(fraction) > digits or (fraction and not (fraction.isascii() and fraction.isdigit())):
        raise Refusal("not a decimal of %d digits: %r" % (digits, text), STATUS_CONFIG_REFUSED)
    value = int(whole + fraction.ljust(digits, "0"))
    if value > MAX_INTEGER:
        raise Refusal("too large: %r" % (text,), STATUS_CONFIG_REFUSED)
    return sign * value
