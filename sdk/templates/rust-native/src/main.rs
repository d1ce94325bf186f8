//! In for fifty trades, out for fifty.

use rumi_sdk::{native, order_type, status, Body, Config, Context, Event, PositionIntent, Refusal, RestoredState, RiskContext, Strategy};

const RISK: RiskContext = RiskContext { max_slippage_bps: 50, max_latency_us: 1_000_000, expected_holding_us: 60_000_000, budget: 100_000_00000000 };

struct Blinker {
    quantity: i64,
    seen: u64,
}

impl Strategy for Blinker {
    const STATE_VERSION: u32 = 1;

    fn init(context: &mut Context, config: Config<'_>, restored: Option<RestoredState<'_>>) -> Result<Self, Refusal> {
        let refused = |reason| Refusal { status: status::CONFIG_REFUSED, reason };
        let digits = context.instruments().first().ok_or_else(|| refused("no instrument"))?.quantity_digits;
        let quantity = config.decimal("order_quantity", digits).ok_or_else(|| refused("order_quantity"))?;
        let seen = match restored {
            None => 0,
            Some(saved) => u64::from_le_bytes(saved.bytes.try_into().map_err(|_| Refusal { status: status::STATE_REFUSED, reason: "state" })?),
        };
        Ok(Self { quantity, seen })
    }

    fn on_event(&mut self, context: &mut Context, event: &Event<'_>) -> Result<(), Refusal> {
        if let Body::Trade(_) = event.body {
            self.seen += 1;
            if self.seen % 50 == 0 {
                let wants_in = self.seen / 50 % 2 == 1;
                let target = if wants_in { self.quantity } else { 0 };
                context.position(&RISK, &PositionIntent { instrument: 0, order_type: u32::from(order_type::MARKET), target, limit_price: 0 });
            }
        }
        Ok(())
    }

    fn save_state(&self, out: &mut [u8]) -> Option<usize> {
        out.get_mut(..8)?.copy_from_slice(&self.seen.to_le_bytes());
        Some(8)
    }
}

fn main() {
    native::serve::<Blinker>().ok();
}
