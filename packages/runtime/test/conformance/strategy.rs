//! The conformance strategy in Rust, as a module and as a program; strategy.py and strategy.ts do the same.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(not(target_arch = "wasm32"), allow(unused))]

use rumi_sdk::{
    log_level, order_type, risk_hint, severity, side, status, time_in_force, AlertIntent, AmendIntent, Body, CancelIntent, Config, Context, Event, HealthReport,
    OrderIntent, PositionIntent, Refusal, RestoredState, RiskContext, RiskHint, Strategy, TradeEvent,
};

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

const RISK: RiskContext = RiskContext { max_slippage_bps: 7, max_latency_us: 8_000, expected_holding_us: 9_000_000, budget: 10_00000000 };

struct Conformance {
    events: i64,
    last_price: i64,
}

impl Strategy for Conformance {
    const STATE_VERSION: u32 = 2;

    fn init(context: &mut Context, config: Config<'_>, restored: Option<RestoredState<'_>>) -> Result<Self, Refusal> {
        if config.boolean("refuse") == Some(true) {
            return Err(Refusal { status: status::CONFIG_REFUSED, reason: "as asked" });
        }
        let mut state = Conformance { events: 0, last_price: 0 };
        if let Some(saved) = restored {
            if saved.version != Self::STATE_VERSION || saved.bytes.len() != 16 {
                return Err(Refusal { status: status::STATE_REFUSED, reason: "state" });
            }
            let word = |at: usize| saved.bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_le_bytes);
            state = Conformance { events: word(0), last_price: word(8) };
        }
        context.telemetry("init.events", state.events as f64);
        context.telemetry("init.instruments", context.instruments().len() as f64);
        context.telemetry("init.mode", f64::from(context.mode()));
        context.timer(7, context.now_us() + 1_000);
        Ok(state)
    }

    fn on_event(&mut self, context: &mut Context, event: &Event<'_>) -> Result<(), Refusal> {
        match event.body {
            Body::Trade(trade) => return self.on_trade(context, &trade),
            Body::Quote(quote) => context.telemetry("quote.spread", (quote.ask_price - quote.bid_price) as f64),
            Body::Bar(bar) => context.telemetry("bar.close", (bar.close + bar.trades as i64) as f64),
            Body::Book(book) => {
                context.telemetry("book.levels", (book.bids.len() / 16 * 1_000 + book.asks.len() / 16) as f64);
                context.telemetry("book.action", f64::from(book.action));
            }
            Body::Execution(report) => {
                context.telemetry("execution.key", report.idempotency_key as f64);
                context.telemetry("execution.reason", f64::from(report.reason));
                context.telemetry("execution.fee", report.fee as f64);
            }
            Body::Safety(safety) => context.telemetry("safety.mode", f64::from(safety.mode)),
            Body::Signal(signal) => context.telemetry("signal.n", Config::new(signal.json).integer("n").unwrap_or(-1) as f64),
            Body::Config(change) => context.telemetry("config.n", Config::new(change.json).integer("n").unwrap_or(-1) as f64),
        }
        Ok(())
    }

    fn on_timer(&mut self, context: &mut Context, timer_id: u32, due_us: i64) -> Result<(), Refusal> {
        context.telemetry("timer", f64::from(timer_id));
        context.timer(timer_id, due_us + 5);
        Ok(())
    }

    fn on_shutdown(&mut self, context: &mut Context, reason: u32) -> Result<(), Refusal> {
        context.telemetry("shutdown", f64::from(reason));
        Ok(())
    }

    fn on_healthcheck(&mut self, _context: &mut Context) -> Option<HealthReport> {
        Some(HealthReport { health: rumi_sdk::health::DEGRADED, reason: 5 })
    }

    fn save_state(&self, out: &mut [u8]) -> Option<usize> {
        out.get_mut(..8)?.copy_from_slice(&self.events.to_le_bytes());
        out.get_mut(8..16)?.copy_from_slice(&self.last_price.to_le_bytes());
        Some(16)
    }

    fn migrate_state(from_version: u32, bytes: &[u8], out: &mut [u8]) -> Option<usize> {
        if from_version != 1 || bytes.len() != 8 {
            return None;
        }
        out.get_mut(..8)?.copy_from_slice(bytes);
        out.get_mut(8..16)?.fill(0);
        Some(16)
    }
}

impl Conformance {
    fn on_trade(&mut self, context: &mut Context, trade: &TradeEvent) -> Result<(), Refusal> {
        self.events += 1;
        self.last_price = trade.price;
        match trade.price {
            1 => {
                context.order(
                    &RISK,
                    &OrderIntent {
                        instrument: 0,
                        side: side::SELL,
                        order_type: order_type::LIMIT,
                        time_in_force: time_in_force::GTC,
                        options: 2,
                        price: trade.quantity,
                        quantity: 50,
                    },
                );
            }
            2 => drop(context.cancel(&RISK, &CancelIntent { target_key: 41, instrument: 0 })),
            3 => drop(context.amend(&RISK, &AmendIntent { target_key: 41, instrument: 0, price: 12, quantity: -1 })),
            4 => drop(context.position(&RISK, &PositionIntent { instrument: 0, order_type: u32::from(order_type::MARKET), target: -3, limit_price: 0 })),
            5 => drop(context.alert(&RISK, &AlertIntent { code: 77, severity: severity::CRITICAL, args: 2, arg0: 1, arg1: -2, arg2: 0, arg3: 0 })),
            6 => drop(context.noop(&RISK, 9)),
            7 => drop(context.risk_hint(&RISK, &RiskHint { instrument: 0, hint: risk_hint::VOLATILE, value: 0.25 })),
            8 => {
                for _ in 0..3 {
                    let drawn = context.random().below(1_000);
                    context.telemetry("random", f64::from(drawn));
                }
            }
            9 => context.log(log_level::WARNING, "price nine \u{fc}ber \u{4e5d}"),
            10 => return Err(Refusal { status: status::STRATEGY_ERROR, reason: "ten" }),
            11 => {
                context.request_checkpoint();
                context.telemetry("eleven", -1.5);
                context.timer(7, 0);
            }
            12 => {
                context.telemetry("header.cursor", context_cursor(context));
                context.telemetry("now", context.now_us() as f64);
                context.telemetry("trade.id", trade.trade_id as f64);
                context.telemetry("trade.aggressor", f64::from(trade.aggressor));
                context.telemetry("trade.quantity", trade.quantity as f64);
            }
            _ => {}
        }
        Ok(())
    }
}

fn context_cursor(context: &Context) -> f64 {
    context.header().cursor as f64
}

#[cfg(target_arch = "wasm32")]
rumi_sdk::export_strategy!(Conformance);

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    rumi_sdk::native::serve::<Conformance>().ok();
}
