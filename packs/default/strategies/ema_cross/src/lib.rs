//! Moving-average cross: long while the fast average of trade prices leads the slow one, flat (or short) otherwise.
//!
//! Whole numbers only, so that every machine decides the same. One order at a time: nothing new is sent until
//! the last one is filled, refused or gone, and for a cooldown after that; five minutes at least after a refusal of the
//! Intent Gate, which would only refuse the same again, or half a minute after a restriction of the moment, which may be
//! over by then. Doubtful data moves no money.
//! `tools/build-wasm.mjs` builds it.
#![cfg_attr(target_arch = "wasm32", no_std)]

use rumi_sdk::{
    execution_report, order_type, quality, refusal, safety_mode, side, time_in_force, Body, CancelIntent, Config, Context, Event, ExecutionEvent, HealthReport, OrderIntent,
    Refusal, RestoredState, RiskContext, Strategy,
};

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Averages carry ten more bits than prices; prices beyond 2^50 are passed over.
const SCALE: i64 = 1_024;
const MAX_PRICE: i64 = 1 << 50;
/// Shortest quiet time after a refusal of the Intent Gate.
const REFUSED_QUIET_US: i64 = 300_000_000;
/// The same after a restriction of the moment: safety mode, health, breaker, data quality.
const RESTRICTED_QUIET_US: i64 = 30_000_000;
/// Words of a saved state; version 1 had no safety mode.
const STATE_WORDS: usize = 9;
const STATE_WORDS_V1: usize = 8;

struct Settings {
    fast_half: i64,
    slow_half: i64,
    warmup: i64,
    threshold_ppm: i64,
    quantity: i64,
    limit: bool,
    allow_short: bool,
    offset_bps: i64,
    cooldown_us: i64,
    order_timeout_us: i64,
    risk: RiskContext,
}

#[derive(Clone, Copy, Default)]
struct State {
    fast: i64,
    slow: i64,
    trades: i64,
    position: i64,
    /// Key of the order that is out; 0: none.
    pending_key: i64,
    pending_since_us: i64,
    cancel_sent: i64,
    quiet_until_us: i64,
    safety: i64,
}

pub struct EmaCross {
    settings: Settings,
    state: State,
}

fn settings(config: &Config<'_>, context: &Context) -> Option<Settings> {
    let instrument = context.instruments().first()?;
    let milliseconds = |name: &str| config.integer(name)?.checked_mul(1_000);
    let lot = instrument.lot_size.max(1);
    let quantity = config.decimal("order_quantity", instrument.quantity_digits)? / lot * lot;
    if quantity < instrument.min_quantity.max(1) || quantity > instrument.max_quantity {
        return None;
    }
    let max_slippage_bps = u32::try_from(config.integer("max_slippage_bps")?).ok()?;
    Some(Settings {
        fast_half: (config.integer("fast_trades")? + 1) / 2,
        slow_half: (config.integer("slow_trades")? + 1) / 2,
        warmup: config.integer("slow_trades")?,
        threshold_ppm: config.integer("threshold_ppm")?,
        quantity,
        limit: config.string("order_type")? == "limit",
        allow_short: config.boolean("allow_short")?,
        offset_bps: config.integer("limit_offset_bps")?,
        cooldown_us: milliseconds("cooldown")?,
        order_timeout_us: milliseconds("order_timeout")?,
        risk: RiskContext {
            max_slippage_bps,
            max_latency_us: u32::try_from(milliseconds("max_latency")?).ok()?,
            expected_holding_us: milliseconds("expected_holding")?,
            budget: config.decimal("budget", rumi_sdk::MONEY_DIGITS)?,
        },
    })
}

impl Strategy for EmaCross {
    const STATE_VERSION: u32 = 2;

    fn init(context: &mut Context, config: Config<'_>, restored: Option<RestoredState<'_>>) -> Result<Self, Refusal> {
        let refused = |reason| Refusal { status: rumi_sdk::status::CONFIG_REFUSED, reason };
        let settings = settings(&config, context).ok_or_else(|| refused("configuration"))?;
        if settings.fast_half < 1 || settings.fast_half >= settings.slow_half {
            return Err(refused("fast_trades must be below slow_trades"));
        }
        let state = match restored {
            None => State { safety: i64::from(safety_mode::NORMAL), ..State::default() },
            Some(saved) if saved.version == Self::STATE_VERSION => {
                State::read(saved.bytes).ok_or(Refusal { status: rumi_sdk::status::STATE_REFUSED, reason: "state" })?
            }
            Some(_) => return Err(Refusal { status: rumi_sdk::status::STATE_REFUSED, reason: "state version" }),
        };
        Ok(Self { settings, state })
    }

    fn on_event(&mut self, context: &mut Context, event: &Event<'_>) -> Result<(), Refusal> {
        match event.body {
            Body::Trade(trade) if event.header.instrument == 0 => self.on_trade(context, trade.price, event.header.flags),
            Body::Execution(report) => self.on_execution(context, &report),
            Body::Safety(safety) => self.state.safety = i64::from(safety.mode),
            Body::Config(change) => {
                if let Some(settings) = settings(&Config::new(change.json), context) {
                    if settings.fast_half >= 1 && settings.fast_half < settings.slow_half {
                        self.settings = settings;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_healthcheck(&mut self, _context: &mut Context) -> Option<HealthReport> {
        Some(HealthReport { health: rumi_sdk::health::HEALTHY, reason: 0 })
    }

    fn save_state(&self, out: &mut [u8]) -> Option<usize> {
        self.state.write(out)
    }

    fn migrate_state(from_version: u32, bytes: &[u8], out: &mut [u8]) -> Option<usize> {
        if from_version != 1 || bytes.len() != STATE_WORDS_V1 * 8 {
            return None;
        }
        out.get_mut(..bytes.len())?.copy_from_slice(bytes);
        out.get_mut(bytes.len()..STATE_WORDS * 8)?.copy_from_slice(&i64::from(safety_mode::NORMAL).to_le_bytes());
        Some(STATE_WORDS * 8)
    }
}

impl EmaCross {
    fn on_trade(&mut self, context: &mut Context, price: i64, flags: u16) {
        let state = &mut self.state;
        if flags & (quality::DUP | quality::OUT_OF_ORDER) != 0 || !(1..MAX_PRICE).contains(&price) {
            return;
        }
        if state.trades == 0 {
            state.fast = price * SCALE;
            state.slow = price * SCALE;
        }
        state.trades += 1;
        state.fast += (price * SCALE - state.fast) / self.settings.fast_half;
        state.slow += (price * SCALE - state.slow) / self.settings.slow_half;
        if flags & (quality::STALE | quality::GAP) == 0 {
            self.decide(context, price);
        }
    }

    fn decide(&mut self, context: &mut Context, price: i64) {
        let now = context.now_us();
        let (settings, state) = (&self.settings, &mut self.state);
        if state.pending_key != 0 {
            if state.cancel_sent == 0 && now - state.pending_since_us > settings.order_timeout_us {
                let cancel = CancelIntent { target_key: state.pending_key as u64, instrument: 0 };
                state.cancel_sent = i64::from(context.cancel(&settings.risk, &cancel).is_some());
            }
            return;
        }
        if now < state.quiet_until_us || state.trades < settings.warmup {
            return;
        }
        let margin = state.slow / 1_000_000 * settings.threshold_ppm;
        let wanted = if state.fast > state.slow + margin {
            settings.quantity
        } else if state.fast < state.slow - margin {
            if settings.allow_short { -settings.quantity } else { 0 }
        } else {
            return;
        };
        let delta = wanted - state.position;
        let grows = wanted.abs() > state.position.abs() || wanted.signum() * state.position.signum() < 0;
        if delta == 0 || (grows && state.safety != i64::from(safety_mode::NORMAL)) {
            return;
        }
        let buy = delta > 0;
        let order = OrderIntent {
            instrument: 0,
            side: if buy { side::BUY } else { side::SELL },
            order_type: if settings.limit { order_type::LIMIT } else { order_type::MARKET },
            time_in_force: if settings.limit { time_in_force::GTC } else { time_in_force::IOC },
            options: 0,
            price: if settings.limit { limit_price(context, price, settings.offset_bps, buy) } else { 0 },
            quantity: delta.abs(),
        };
        let spread_ppm = (state.fast - state.slow) / (state.slow / 1_000_000).max(1);
        if let Some(key) = context.order(&settings.risk, &order) {
            state.pending_key = key as i64;
            state.pending_since_us = now;
            state.cancel_sent = 0;
            context.telemetry("ema.spread_ppm", spread_ppm as f64);
        }
    }

    fn on_execution(&mut self, context: &mut Context, report: &ExecutionEvent) {
        let state = &mut self.state;
        match report.report {
            execution_report::PARTIALLY_FILLED | execution_report::FILLED => {
                state.position += if report.side == side::BUY { report.quantity } else { -report.quantity };
                context.request_checkpoint();
            }
            execution_report::CANCEL_REJECTED => state.cancel_sent = 0,
            _ => {}
        }
        let ended = matches!(report.report, execution_report::FILLED | execution_report::REJECTED | execution_report::CANCELLED);
        if ended && report.idempotency_key == state.pending_key as u64 {
            let refused_us = match (report.report, report.reason) {
                (execution_report::REJECTED, refusal::RESTRICTED) => RESTRICTED_QUIET_US,
                (execution_report::REJECTED, reason) if reason >= refusal::INTENT => REFUSED_QUIET_US,
                _ => 0,
            };
            state.pending_key = 0;
            state.quiet_until_us = context.now_us() + self.settings.cooldown_us.max(refused_us);
        }
    }
}

/// `offset_bps` past the last price, on a tick, never worse than that.
fn limit_price(context: &Context, price: i64, offset_bps: i64, buy: bool) -> i64 {
    let tick = context.instruments().first().map_or(1, |instrument| instrument.tick_size.max(1));
    let offset = price.checked_mul(offset_bps).map_or(0, |product| product / 10_000);
    if buy {
        (price + offset) / tick * tick
    } else {
        ((price - offset).max(1) + tick - 1) / tick * tick
    }
}

impl State {
    fn words(&self) -> [i64; STATE_WORDS] {
        [self.fast, self.slow, self.trades, self.position, self.pending_key, self.pending_since_us, self.cancel_sent, self.quiet_until_us, self.safety]
    }

    fn write(&self, out: &mut [u8]) -> Option<usize> {
        for (slot, word) in out.get_mut(..STATE_WORDS * 8)?.chunks_exact_mut(8).zip(self.words()) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Some(STATE_WORDS * 8)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != STATE_WORDS * 8 {
            return None;
        }
        let mut words = [0_i64; STATE_WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = i64::from_le_bytes(chunk.try_into().ok()?);
        }
        let [fast, slow, trades, position, pending_key, pending_since_us, cancel_sent, quiet_until_us, safety] = words;
        Some(Self { fast, slow, trades, position, pending_key, pending_since_us, cancel_sent, quiet_until_us, safety })
    }
}

rumi_sdk::export_strategy!(EmaCross);
