// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
//! Strategy ABI v1: frames and their codec.
use crate::wire;

pub const ABI_VERSION: u32 = 1;
pub const MONEY_DIGITS: u32 = 8;
pub const NO_INSTRUMENT: u32 = 4294967295;
pub const MISSING_U32: u32 = 4294967295;
pub const MISSING_I64: i64 = -1;
pub const LOG_LINE_BYTES: usize = 1024;

pub mod status {
    pub const BAD_FRAME: i32 = -1;
    pub const BAD_ABI_VERSION: i32 = -2;
    pub const NOT_INITIALISED: i32 = -3;
    pub const OUTPUT_OVERFLOW: i32 = -4;
    pub const STRATEGY_ERROR: i32 = -5;
    pub const UNSUPPORTED: i32 = -6;
    pub const STATE_REFUSED: i32 = -7;
    pub const CONFIG_REFUSED: i32 = -8;
    pub const EXCEPTION: i32 = -9;
}

pub mod callback {
    pub const INIT: u8 = 1;
    pub const EVENT: u8 = 2;
    pub const TIMER: u8 = 3;
    pub const SHUTDOWN: u8 = 4;
    pub const HEALTHCHECK: u8 = 5;
    pub const SAVE_STATE: u8 = 6;
    pub const MIGRATE_STATE: u8 = 7;
}

pub mod quality {
    pub const STALE: u16 = 1;
    pub const GAP: u16 = 2;
    pub const DUP: u16 = 4;
    pub const OUT_OF_ORDER: u16 = 8;
    pub const CLOCK_DRIFT: u16 = 16;
}

pub mod refusal {
    pub const NONE: u32 = 0;
    pub const OUTSIDE: u32 = 1;
    pub const INTENT: u32 = 2;
    pub const LIMIT: u32 = 3;
    pub const RATE: u32 = 4;
    pub const RESTRICTED: u32 = 5;
    pub const CHANGED: u32 = 6;
}

pub mod order_options {
    pub const REDUCE_ONLY: u8 = 1;
    pub const POST_ONLY: u8 = 2;
}

pub mod aggressor {
    pub const UNKNOWN: u32 = 0;
    pub const BUYER: u32 = 1;
    pub const SELLER: u32 = 2;
}

pub mod side {
    pub const BUY: u8 = 1;
    pub const SELL: u8 = 2;
}

pub mod book_action {
    pub const SNAPSHOT: u32 = 1;
    pub const INCREMENT: u32 = 2;
}

pub mod execution_report {
    pub const ACCEPTED: u16 = 1;
    pub const REJECTED: u16 = 2;
    pub const PARTIALLY_FILLED: u16 = 3;
    pub const FILLED: u16 = 4;
    pub const CANCELLED: u16 = 5;
    pub const AMENDED: u16 = 6;
    pub const CANCEL_REJECTED: u16 = 7;
}

pub mod liquidity {
    pub const NONE: u8 = 0;
    pub const MAKER: u8 = 1;
    pub const TAKER: u8 = 2;
}

pub mod safety_mode {
    pub const NORMAL: u32 = 1;
    pub const SAFE: u32 = 2;
    pub const EMERGENCY_STOP: u32 = 3;
}

pub mod kill_switch {
    pub const NONE: u32 = 0;
    pub const INSTANCE: u32 = 1;
    pub const BOT: u32 = 2;
    pub const VENUE: u32 = 3;
    pub const GLOBAL: u32 = 4;
}

pub mod config_apply {
    pub const IMMEDIATE: u32 = 1;
    pub const SAFE_POINT: u32 = 2;
    pub const RESTART: u32 = 3;
}

pub mod run_mode {
    pub const BACKTEST: u32 = 1;
    pub const PAPER: u32 = 2;
    pub const SHADOW: u32 = 3;
    pub const LIVE: u32 = 4;
}

pub mod shutdown_reason {
    pub const STOP: u32 = 1;
    pub const UPGRADE: u32 = 2;
    pub const SAFETY: u32 = 3;
    pub const LEASE_LOST: u32 = 4;
    pub const FEED_ENDED: u32 = 5;
}

pub mod order_type {
    pub const LIMIT: u8 = 1;
    pub const MARKET: u8 = 2;
}

pub mod time_in_force {
    pub const GTC: u8 = 1;
    pub const IOC: u8 = 2;
    pub const FOK: u8 = 3;
}

pub mod severity {
    pub const INFO: u8 = 1;
    pub const WARNING: u8 = 2;
    pub const CRITICAL: u8 = 3;
}

pub mod risk_hint {
    pub const REDUCE: u32 = 1;
    pub const PAUSE: u32 = 2;
    pub const VOLATILE: u32 = 3;
    pub const ILLIQUID: u32 = 4;
    pub const DRIFT: u32 = 5;
}

pub mod log_level {
    pub const DEBUG: u32 = 1;
    pub const INFO: u32 = 2;
    pub const WARNING: u32 = 3;
    pub const ERROR: u32 = 4;
}

pub mod health {
    pub const HEALTHY: u32 = 1;
    pub const DEGRADED: u32 = 2;
    pub const HALTED: u32 = 3;
}

/// What every input frame carries besides kind, length and schema version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameHeader {
    /// quality bits
    pub flags: u16,
    /// place in the instance's input, counts up
    pub cursor: u64,
    pub event_time_us: i64,
    pub received_time_us: i64,
    /// the only clock a strategy sees
    pub processed_time_us: i64,
    /// index into the table of init; 0xffffffff: none
    pub instrument: u32,
    pub trace_id: [u8; 16],
}

impl FrameHeader {
    pub const BYTES: usize = 64;
    pub const fn empty() -> Self {
        Self { flags: 0, cursor: 0, event_time_us: 0, received_time_us: 0, processed_time_us: 0, instrument: 0, trace_id: [0; 16] }
    }
    /// Writes at the start of `out`; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<()> {
        wire::put_u16(out, 2, self.flags)?;
        wire::put_u64(out, 8, self.cursor)?;
        wire::put_i64(out, 16, self.event_time_us)?;
        wire::put_i64(out, 24, self.received_time_us)?;
        wire::put_i64(out, 32, self.processed_time_us)?;
        wire::put_u32(out, 40, self.instrument)?;
        wire::put_bytes(out, 48, &self.trace_id)?;
        Some(())
    }
    /// `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let flags = wire::take_u16(frame, 2)?;
        let cursor = wire::take_u64(frame, 8)?;
        let event_time_us = wire::take_i64(frame, 16)?;
        let received_time_us = wire::take_i64(frame, 24)?;
        let processed_time_us = wire::take_i64(frame, 32)?;
        let instrument = wire::take_u32(frame, 40)?;
        let trace_id = wire::take_bytes(frame, 48)?;
        Some(Self { flags, cursor, event_time_us, received_time_us, processed_time_us, instrument, trace_id })
    }
}

/// What every intent carries (M-2.4.2); write after it kind and length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntentMeta {
    /// handle from init; 0 missing
    pub bot: u32,
    /// handle; 0 missing
    pub strategy: u32,
    /// handle; 0 missing
    pub version: u32,
    /// handle; 0 missing
    pub instance: u32,
    /// zeros: missing
    pub run_id: [u8; 16],
    /// zeros: missing
    pub trace_id: [u8; 16],
    /// 0 missing; counts up from init's next_intent_key
    pub idempotency_key: u64,
    /// 0xffffffff missing
    pub max_slippage_bps: u32,
    /// 0xffffffff missing
    pub max_latency_us: u32,
    /// -1 missing
    pub expected_holding_us: i64,
    /// quote currency, scaled by 10^8; -1 missing
    pub budget: i64,
}

impl IntentMeta {
    pub const BYTES: usize = 88;
    pub const fn empty() -> Self {
        Self { bot: 0, strategy: 0, version: 0, instance: 0, run_id: [0; 16], trace_id: [0; 16], idempotency_key: 0, max_slippage_bps: 0, max_latency_us: 0, expected_holding_us: 0, budget: 0 }
    }
    /// Writes at the start of `out`; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<()> {
        wire::put_u32(out, 8, self.bot)?;
        wire::put_u32(out, 12, self.strategy)?;
        wire::put_u32(out, 16, self.version)?;
        wire::put_u32(out, 20, self.instance)?;
        wire::put_bytes(out, 24, &self.run_id)?;
        wire::put_bytes(out, 40, &self.trace_id)?;
        wire::put_u64(out, 56, self.idempotency_key)?;
        wire::put_u32(out, 64, self.max_slippage_bps)?;
        wire::put_u32(out, 68, self.max_latency_us)?;
        wire::put_i64(out, 72, self.expected_holding_us)?;
        wire::put_i64(out, 80, self.budget)?;
        Some(())
    }
    /// `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let bot = wire::take_u32(frame, 8)?;
        let strategy = wire::take_u32(frame, 12)?;
        let version = wire::take_u32(frame, 16)?;
        let instance = wire::take_u32(frame, 20)?;
        let run_id = wire::take_bytes(frame, 24)?;
        let trace_id = wire::take_bytes(frame, 40)?;
        let idempotency_key = wire::take_u64(frame, 56)?;
        let max_slippage_bps = wire::take_u32(frame, 64)?;
        let max_latency_us = wire::take_u32(frame, 68)?;
        let expected_holding_us = wire::take_i64(frame, 72)?;
        let budget = wire::take_i64(frame, 80)?;
        Some(Self { bot, strategy, version, instance, run_id, trace_id, idempotency_key, max_slippage_bps, max_latency_us, expected_holding_us, budget })
    }
}

/// Element of a book's tails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    pub price: i64,
    /// 0 removes the level
    pub quantity: i64,
}

impl Level {
    pub const BYTES: usize = 16;
    pub const fn empty() -> Self {
        Self { price: 0, quantity: 0 }
    }
    /// Writes at the start of `out`; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<()> {
        wire::put_i64(out, 0, self.price)?;
        wire::put_i64(out, 8, self.quantity)?;
        Some(())
    }
    /// `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let price = wire::take_i64(frame, 0)?;
        let quantity = wire::take_i64(frame, 8)?;
        Some(Self { price, quantity })
    }
}

/// Element of init's instrument table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instrument {
    pub instrument_id: [u8; 72],
    pub base_currency: [u8; 16],
    pub quote_currency: [u8; 16],
    pub price_digits: u32,
    pub quantity_digits: u32,
    pub tick_size: i64,
    pub lot_size: i64,
    pub min_quantity: i64,
    pub max_quantity: i64,
}

impl Instrument {
    pub const BYTES: usize = 144;
    pub const fn empty() -> Self {
        Self { instrument_id: [0; 72], base_currency: [0; 16], quote_currency: [0; 16], price_digits: 0, quantity_digits: 0, tick_size: 0, lot_size: 0, min_quantity: 0, max_quantity: 0 }
    }
    /// Writes at the start of `out`; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<()> {
        wire::put_text(out, 0, &self.instrument_id)?;
        wire::put_text(out, 72, &self.base_currency)?;
        wire::put_text(out, 88, &self.quote_currency)?;
        wire::put_u32(out, 104, self.price_digits)?;
        wire::put_u32(out, 108, self.quantity_digits)?;
        wire::put_i64(out, 112, self.tick_size)?;
        wire::put_i64(out, 120, self.lot_size)?;
        wire::put_i64(out, 128, self.min_quantity)?;
        wire::put_i64(out, 136, self.max_quantity)?;
        Some(())
    }
    /// `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let instrument_id = wire::take_text(frame, 0)?;
        let base_currency = wire::take_text(frame, 72)?;
        let quote_currency = wire::take_text(frame, 88)?;
        let price_digits = wire::take_u32(frame, 104)?;
        let quantity_digits = wire::take_u32(frame, 108)?;
        let tick_size = wire::take_i64(frame, 112)?;
        let lot_size = wire::take_i64(frame, 120)?;
        let min_quantity = wire::take_i64(frame, 128)?;
        let max_quantity = wire::take_i64(frame, 136)?;
        Some(Self { instrument_id, base_currency, quote_currency, price_digits, quantity_digits, tick_size, lot_size, min_quantity, max_quantity })
    }
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TradeEvent {
    pub price: i64,
    pub quantity: i64,
    pub trade_id: u64,
    pub aggressor: u32,
}

impl TradeEvent {
    pub const KIND: u16 = 1;
    /// Without tails.
    pub const BYTES: usize = 96;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 92, 0)?;
        wire::put_u8(out, 93, 0)?;
        wire::put_u8(out, 94, 0)?;
        wire::put_u8(out, 95, 0)?;
        wire::put_i64(out, 64, self.price)?;
        wire::put_i64(out, 72, self.quantity)?;
        wire::put_u64(out, 80, self.trade_id)?;
        wire::put_u32(out, 88, self.aggressor)?; if self.aggressor > 2 { return None; }
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let price = wire::take_i64(frame, 64)?;
        let quantity = wire::take_i64(frame, 72)?;
        let trade_id = wire::take_u64(frame, 80)?;
        let aggressor = wire::take_u32(frame, 88)?; if aggressor > 2 { return None; }
        Some(Self { price, quantity, trade_id, aggressor })
    }
}

/// Best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuoteEvent {
    pub bid_price: i64,
    pub bid_quantity: i64,
    pub ask_price: i64,
    pub ask_quantity: i64,
}

impl QuoteEvent {
    pub const KIND: u16 = 2;
    /// Without tails.
    pub const BYTES: usize = 96;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_i64(out, 64, self.bid_price)?;
        wire::put_i64(out, 72, self.bid_quantity)?;
        wire::put_i64(out, 80, self.ask_price)?;
        wire::put_i64(out, 88, self.ask_quantity)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let bid_price = wire::take_i64(frame, 64)?;
        let bid_quantity = wire::take_i64(frame, 72)?;
        let ask_price = wire::take_i64(frame, 80)?;
        let ask_quantity = wire::take_i64(frame, 88)?;
        Some(Self { bid_price, bid_quantity, ask_price, ask_quantity })
    }
}

/// One finished bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarEvent {
    pub open_time_us: i64,
    pub duration_us: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i64,
    pub trades: u64,
}

impl BarEvent {
    pub const KIND: u16 = 3;
    /// Without tails.
    pub const BYTES: usize = 128;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_i64(out, 64, self.open_time_us)?;
        wire::put_i64(out, 72, self.duration_us)?;
        wire::put_i64(out, 80, self.open)?;
        wire::put_i64(out, 88, self.high)?;
        wire::put_i64(out, 96, self.low)?;
        wire::put_i64(out, 104, self.close)?;
        wire::put_i64(out, 112, self.volume)?;
        wire::put_u64(out, 120, self.trades)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let open_time_us = wire::take_i64(frame, 64)?;
        let duration_us = wire::take_i64(frame, 72)?;
        let open = wire::take_i64(frame, 80)?;
        let high = wire::take_i64(frame, 88)?;
        let low = wire::take_i64(frame, 96)?;
        let close = wire::take_i64(frame, 104)?;
        let volume = wire::take_i64(frame, 112)?;
        let trades = wire::take_u64(frame, 120)?;
        Some(Self { open_time_us, duration_us, open, high, low, close, volume, trades })
    }
}

/// A book snapshot or increment, best level first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BookEvent<'a> {
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub action: u32,
    /// Elements of 16 bytes, see `Level`.
    pub bids: &'a [u8],
    /// Elements of 16 bytes, see `Level`.
    pub asks: &'a [u8],
}

impl<'a> BookEvent<'a> {
    pub const KIND: u16 = 4;
    /// Without tails.
    pub const BYTES: usize = 96;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.bids.len()) + wire::pad8(self.asks.len());
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 92, 0)?;
        wire::put_u8(out, 93, 0)?;
        wire::put_u8(out, 94, 0)?;
        wire::put_u8(out, 95, 0)?;
        wire::put_u64(out, 64, self.first_sequence)?;
        wire::put_u64(out, 72, self.last_sequence)?;
        wire::put_u32(out, 80, self.action)?; if !(1..=2).contains(&self.action) { return None; }
        wire::put_u32(out, 84, (self.bids.len() / 16) as u32)?;
        wire::put_u32(out, 88, (self.asks.len() / 16) as u32)?;
        let at = Self::BYTES;
        let at = wire::put_tail(out, at, self.bids)?;
        wire::put_tail(out, at, self.asks)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let first_sequence = wire::take_u64(frame, 64)?;
        let last_sequence = wire::take_u64(frame, 72)?;
        let action = wire::take_u32(frame, 80)?; if !(1..=2).contains(&action) { return None; }
        let at = Self::BYTES;
        let (bids, at) = wire::take_tail(frame, at, wire::take_u32(frame, 84)? as usize, 16)?;
        let (asks, at) = wire::take_tail(frame, at, wire::take_u32(frame, 88)? as usize, 16)?;
        if at != frame.len() { return None; }
        Some(Self { first_sequence, last_sequence, action, bids, asks })
    }
}

/// What became of an order of this instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExecutionEvent {
    pub report: u16,
    pub side: u8,
    pub liquidity: u8,
    /// 0 or the refusal's number (REFUSAL)
    pub reason: u32,
    pub client_order_id: [u8; 32],
    /// of the intent that opened the order
    pub idempotency_key: u64,
    /// of this fill; else of the order
    pub price: i64,
    /// of this fill; else of the order
    pub quantity: i64,
    pub remaining: i64,
    /// quote currency, scaled by 10^8, rounded up; negative is a rebate
    pub fee: i64,
}

impl ExecutionEvent {
    pub const KIND: u16 = 5;
    /// Without tails.
    pub const BYTES: usize = 144;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u16(out, 64, self.report)?; if !(1..=7).contains(&self.report) { return None; }
        wire::put_u8(out, 66, self.side)?; if !(1..=2).contains(&self.side) { return None; }
        wire::put_u8(out, 67, self.liquidity)?; if self.liquidity > 2 { return None; }
        wire::put_u32(out, 68, self.reason)?;
        wire::put_text(out, 72, &self.client_order_id)?;
        wire::put_u64(out, 104, self.idempotency_key)?;
        wire::put_i64(out, 112, self.price)?;
        wire::put_i64(out, 120, self.quantity)?;
        wire::put_i64(out, 128, self.remaining)?;
        wire::put_i64(out, 136, self.fee)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let report = wire::take_u16(frame, 64)?; if !(1..=7).contains(&report) { return None; }
        let side = wire::take_u8(frame, 66)?; if !(1..=2).contains(&side) { return None; }
        let liquidity = wire::take_u8(frame, 67)?; if liquidity > 2 { return None; }
        let reason = wire::take_u32(frame, 68)?;
        let client_order_id = wire::take_text(frame, 72)?;
        let idempotency_key = wire::take_u64(frame, 104)?;
        let price = wire::take_i64(frame, 112)?;
        let quantity = wire::take_i64(frame, 120)?;
        let remaining = wire::take_i64(frame, 128)?;
        let fee = wire::take_i64(frame, 136)?;
        Some(Self { report, side, liquidity, reason, client_order_id, idempotency_key, price, quantity, remaining, fee })
    }
}

/// Safety mode or kill switch changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafetyEvent {
    pub mode: u32,
    pub kill_switch: u32,
    pub generation: u64,
}

impl SafetyEvent {
    pub const KIND: u16 = 6;
    /// Without tails.
    pub const BYTES: usize = 80;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u32(out, 64, self.mode)?; if !(1..=3).contains(&self.mode) { return None; }
        wire::put_u32(out, 68, self.kill_switch)?; if self.kill_switch > 4 { return None; }
        wire::put_u64(out, 72, self.generation)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let mode = wire::take_u32(frame, 64)?; if !(1..=3).contains(&mode) { return None; }
        let kill_switch = wire::take_u32(frame, 68)?; if kill_switch > 4 { return None; }
        let generation = wire::take_u64(frame, 72)?;
        Some(Self { mode, kill_switch, generation })
    }
}

/// A requested timer is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimerEvent {
    pub timer_id: u32,
    pub due_us: i64,
}

impl TimerEvent {
    pub const KIND: u16 = 7;
    /// Without tails.
    pub const BYTES: usize = 80;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 68, 0)?;
        wire::put_u8(out, 69, 0)?;
        wire::put_u8(out, 70, 0)?;
        wire::put_u8(out, 71, 0)?;
        wire::put_u32(out, 64, self.timer_id)?;
        wire::put_i64(out, 72, self.due_us)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let timer_id = wire::take_u32(frame, 64)?;
        let due_us = wire::take_i64(frame, 72)?;
        Some(Self { timer_id, due_us })
    }
}

/// A manual signal, JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalEvent<'a> {
    /// Bytes.
    pub json: &'a [u8],
}

impl<'a> SignalEvent<'a> {
    pub const KIND: u16 = 8;
    /// Without tails.
    pub const BYTES: usize = 72;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.json.len());
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 68, 0)?;
        wire::put_u8(out, 69, 0)?;
        wire::put_u8(out, 70, 0)?;
        wire::put_u8(out, 71, 0)?;
        wire::put_u32(out, 64, (self.json.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.json)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let at = Self::BYTES;
        let (json, at) = wire::take_tail(frame, at, wire::take_u32(frame, 64)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { json })
    }
}

/// A new configuration, complete and validated, JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigEvent<'a> {
    pub apply: u32,
    pub generation: u64,
    /// Bytes.
    pub json: &'a [u8],
}

impl<'a> ConfigEvent<'a> {
    pub const KIND: u16 = 9;
    /// Without tails.
    pub const BYTES: usize = 88;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.json.len());
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 68, 0)?;
        wire::put_u8(out, 69, 0)?;
        wire::put_u8(out, 70, 0)?;
        wire::put_u8(out, 71, 0)?;
        wire::put_u8(out, 84, 0)?;
        wire::put_u8(out, 85, 0)?;
        wire::put_u8(out, 86, 0)?;
        wire::put_u8(out, 87, 0)?;
        wire::put_u32(out, 64, self.apply)?; if !(1..=3).contains(&self.apply) { return None; }
        wire::put_u64(out, 72, self.generation)?;
        wire::put_u32(out, 80, (self.json.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.json)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let apply = wire::take_u32(frame, 64)?; if !(1..=3).contains(&apply) { return None; }
        let generation = wire::take_u64(frame, 72)?;
        let at = Self::BYTES;
        let (json, at) = wire::take_tail(frame, at, wire::take_u32(frame, 80)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { apply, generation, json })
    }
}

/// First frame of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitCall<'a> {
    pub abi_version: u32,
    pub mode: u32,
    pub run_id: [u8; 16],
    pub seed: [u8; 16],
    pub next_intent_key: u64,
    pub bot: u32,
    pub strategy: u32,
    pub version: u32,
    pub instance: u32,
    pub bot_id: [u8; 64],
    pub strategy_id: [u8; 64],
    pub strategy_version: [u8; 64],
    pub instance_id: [u8; 64],
    /// 0: nothing to restore
    pub state_version: u32,
    /// Elements of 144 bytes, see `Instrument`.
    pub instruments: &'a [u8],
    /// Bytes.
    pub config: &'a [u8],
    /// Bytes.
    pub state: &'a [u8],
}

impl<'a> InitCall<'a> {
    pub const KIND: u16 = 32;
    /// Without tails.
    pub const BYTES: usize = 400;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.instruments.len()) + wire::pad8(self.config.len()) + wire::pad8(self.state.len());
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u32(out, 64, self.abi_version)?;
        wire::put_u32(out, 68, self.mode)?; if !(1..=4).contains(&self.mode) { return None; }
        wire::put_bytes(out, 72, &self.run_id)?;
        wire::put_bytes(out, 88, &self.seed)?;
        wire::put_u64(out, 104, self.next_intent_key)?;
        wire::put_u32(out, 112, self.bot)?;
        wire::put_u32(out, 116, self.strategy)?;
        wire::put_u32(out, 120, self.version)?;
        wire::put_u32(out, 124, self.instance)?;
        wire::put_text(out, 128, &self.bot_id)?;
        wire::put_text(out, 192, &self.strategy_id)?;
        wire::put_text(out, 256, &self.strategy_version)?;
        wire::put_text(out, 320, &self.instance_id)?;
        wire::put_u32(out, 384, self.state_version)?;
        wire::put_u32(out, 388, (self.instruments.len() / 144) as u32)?;
        wire::put_u32(out, 392, (self.config.len() / 1) as u32)?;
        wire::put_u32(out, 396, (self.state.len() / 1) as u32)?;
        let at = Self::BYTES;
        let at = wire::put_tail(out, at, self.instruments)?;
        let at = wire::put_tail(out, at, self.config)?;
        wire::put_tail(out, at, self.state)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let abi_version = wire::take_u32(frame, 64)?;
        let mode = wire::take_u32(frame, 68)?; if !(1..=4).contains(&mode) { return None; }
        let run_id = wire::take_bytes(frame, 72)?;
        let seed = wire::take_bytes(frame, 88)?;
        let next_intent_key = wire::take_u64(frame, 104)?;
        let bot = wire::take_u32(frame, 112)?;
        let strategy = wire::take_u32(frame, 116)?;
        let version = wire::take_u32(frame, 120)?;
        let instance = wire::take_u32(frame, 124)?;
        let bot_id = wire::take_text(frame, 128)?;
        let strategy_id = wire::take_text(frame, 192)?;
        let strategy_version = wire::take_text(frame, 256)?;
        let instance_id = wire::take_text(frame, 320)?;
        let state_version = wire::take_u32(frame, 384)?;
        let at = Self::BYTES;
        let (instruments, at) = wire::take_tail(frame, at, wire::take_u32(frame, 388)? as usize, 144)?;
        let (config, at) = wire::take_tail(frame, at, wire::take_u32(frame, 392)? as usize, 1)?;
        let (state, at) = wire::take_tail(frame, at, wire::take_u32(frame, 396)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { abi_version, mode, run_id, seed, next_intent_key, bot, strategy, version, instance, bot_id, strategy_id, strategy_version, instance_id, state_version, instruments, config, state })
    }
}

/// Last frame of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShutdownCall {
    pub reason: u32,
}

impl ShutdownCall {
    pub const KIND: u16 = 33;
    /// Without tails.
    pub const BYTES: usize = 72;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u8(out, 68, 0)?;
        wire::put_u8(out, 69, 0)?;
        wire::put_u8(out, 70, 0)?;
        wire::put_u8(out, 71, 0)?;
        wire::put_u32(out, 64, self.reason)?; if !(1..=5).contains(&self.reason) { return None; }
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let reason = wire::take_u32(frame, 64)?; if !(1..=5).contains(&reason) { return None; }
        Some(Self { reason })
    }
}

/// Asks for a health_report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthcheckCall {
}

impl HealthcheckCall {
    pub const KIND: u16 = 34;
    /// Without tails.
    pub const BYTES: usize = 64;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        Some(Self {  })
    }
}

/// Asks for a saved_state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SaveStateCall {
}

impl SaveStateCall {
    pub const KIND: u16 = 35;
    /// Without tails.
    pub const BYTES: usize = 64;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        Some(Self {  })
    }
}

/// Asks to turn an older state into a saved_state of the own version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MigrateStateCall<'a> {
    pub from_version: u32,
    /// Bytes.
    pub state: &'a [u8],
}

impl<'a> MigrateStateCall<'a> {
    pub const KIND: u16 = 36;
    /// Without tails.
    pub const BYTES: usize = 72;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], header: &FrameHeader) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.state.len());
        let out = out.get_mut(..length)?;
        header.write(out)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 44, ABI_VERSION)?;
        wire::put_u32(out, 64, self.from_version)?;
        wire::put_u32(out, 68, (self.state.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.state)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let from_version = wire::take_u32(frame, 64)?;
        let at = Self::BYTES;
        let (state, at) = wire::take_tail(frame, at, wire::take_u32(frame, 68)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { from_version, state })
    }
}

/// Wishes an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderIntent {
    pub instrument: u32,
    pub side: u8,
    pub order_type: u8,
    pub time_in_force: u8,
    /// bits
    pub options: u8,
    /// 0 for a market order
    pub price: i64,
    pub quantity: i64,
}

impl OrderIntent {
    pub const KIND: u16 = 1;
    /// Without tails.
    pub const BYTES: usize = 112;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 88, self.instrument)?;
        wire::put_u8(out, 92, self.side)?; if !(1..=2).contains(&self.side) { return None; }
        wire::put_u8(out, 93, self.order_type)?; if !(1..=2).contains(&self.order_type) { return None; }
        wire::put_u8(out, 94, self.time_in_force)?; if !(1..=3).contains(&self.time_in_force) { return None; }
        wire::put_u8(out, 95, self.options)?;
        wire::put_i64(out, 96, self.price)?;
        wire::put_i64(out, 104, self.quantity)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let instrument = wire::take_u32(frame, 88)?;
        let side = wire::take_u8(frame, 92)?; if !(1..=2).contains(&side) { return None; }
        let order_type = wire::take_u8(frame, 93)?; if !(1..=2).contains(&order_type) { return None; }
        let time_in_force = wire::take_u8(frame, 94)?; if !(1..=3).contains(&time_in_force) { return None; }
        let options = wire::take_u8(frame, 95)?;
        let price = wire::take_i64(frame, 96)?;
        let quantity = wire::take_i64(frame, 104)?;
        Some(Self { instrument, side, order_type, time_in_force, options, price, quantity })
    }
}

/// Wishes an order of its own gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CancelIntent {
    /// idempotency key of the order intent
    pub target_key: u64,
    pub instrument: u32,
}

impl CancelIntent {
    pub const KIND: u16 = 2;
    /// Without tails.
    pub const BYTES: usize = 104;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 100, 0)?;
        wire::put_u8(out, 101, 0)?;
        wire::put_u8(out, 102, 0)?;
        wire::put_u8(out, 103, 0)?;
        wire::put_u64(out, 88, self.target_key)?;
        wire::put_u32(out, 96, self.instrument)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let target_key = wire::take_u64(frame, 88)?;
        let instrument = wire::take_u32(frame, 96)?;
        Some(Self { target_key, instrument })
    }
}

/// Wishes an order of its own changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AmendIntent {
    pub target_key: u64,
    pub instrument: u32,
    /// -1 keeps it
    pub price: i64,
    /// new total; -1 keeps it
    pub quantity: i64,
}

impl AmendIntent {
    pub const KIND: u16 = 3;
    /// Without tails.
    pub const BYTES: usize = 120;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 100, 0)?;
        wire::put_u8(out, 101, 0)?;
        wire::put_u8(out, 102, 0)?;
        wire::put_u8(out, 103, 0)?;
        wire::put_u64(out, 88, self.target_key)?;
        wire::put_u32(out, 96, self.instrument)?;
        wire::put_i64(out, 104, self.price)?;
        wire::put_i64(out, 112, self.quantity)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let target_key = wire::take_u64(frame, 88)?;
        let instrument = wire::take_u32(frame, 96)?;
        let price = wire::take_i64(frame, 104)?;
        let quantity = wire::take_i64(frame, 112)?;
        Some(Self { target_key, instrument, price, quantity })
    }
}

/// Wishes a position; how is the host's business.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionIntent {
    pub instrument: u32,
    pub order_type: u32,
    /// signed quantity
    pub target: i64,
    /// 0 for market
    pub limit_price: i64,
}

impl PositionIntent {
    pub const KIND: u16 = 4;
    /// Without tails.
    pub const BYTES: usize = 112;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 88, self.instrument)?;
        wire::put_u32(out, 92, self.order_type)?; if !(1..=2).contains(&self.order_type) { return None; }
        wire::put_i64(out, 96, self.target)?;
        wire::put_i64(out, 104, self.limit_price)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let instrument = wire::take_u32(frame, 88)?;
        let order_type = wire::take_u32(frame, 92)?; if !(1..=2).contains(&order_type) { return None; }
        let target = wire::take_i64(frame, 96)?;
        let limit_price = wire::take_i64(frame, 104)?;
        Some(Self { instrument, order_type, target, limit_price })
    }
}

/// Tells a person something coded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertIntent {
    pub code: u32,
    pub severity: u8,
    /// how many of the four count
    pub args: u8,
    pub arg0: i64,
    pub arg1: i64,
    pub arg2: i64,
    pub arg3: i64,
}

impl AlertIntent {
    pub const KIND: u16 = 5;
    /// Without tails.
    pub const BYTES: usize = 128;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 94, 0)?;
        wire::put_u8(out, 95, 0)?;
        wire::put_u32(out, 88, self.code)?;
        wire::put_u8(out, 92, self.severity)?; if !(1..=3).contains(&self.severity) { return None; }
        wire::put_u8(out, 93, self.args)?;
        wire::put_i64(out, 96, self.arg0)?;
        wire::put_i64(out, 104, self.arg1)?;
        wire::put_i64(out, 112, self.arg2)?;
        wire::put_i64(out, 120, self.arg3)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let code = wire::take_u32(frame, 88)?;
        let severity = wire::take_u8(frame, 92)?; if !(1..=3).contains(&severity) { return None; }
        let args = wire::take_u8(frame, 93)?;
        let arg0 = wire::take_i64(frame, 96)?;
        let arg1 = wire::take_i64(frame, 104)?;
        let arg2 = wire::take_i64(frame, 112)?;
        let arg3 = wire::take_i64(frame, 120)?;
        Some(Self { code, severity, args, arg0, arg1, arg2, arg3 })
    }
}

/// Decided to do nothing, on the record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoopIntent {
    pub reason: u32,
}

impl NoopIntent {
    pub const KIND: u16 = 6;
    /// Without tails.
    pub const BYTES: usize = 96;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 92, 0)?;
        wire::put_u8(out, 93, 0)?;
        wire::put_u8(out, 94, 0)?;
        wire::put_u8(out, 95, 0)?;
        wire::put_u32(out, 88, self.reason)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let reason = wire::take_u32(frame, 88)?;
        Some(Self { reason })
    }
}

/// Asks the risk side to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskHint {
    pub instrument: u32,
    pub hint: u32,
    pub value: f64,
}

impl RiskHint {
    pub const KIND: u16 = 7;
    /// Without tails.
    pub const BYTES: usize = 104;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8], meta: &IntentMeta) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        meta.write(out)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 88, self.instrument)?;
        wire::put_u32(out, 92, self.hint)?; if !(1..=5).contains(&self.hint) { return None; }
        wire::put_f64(out, 96, self.value)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let instrument = wire::take_u32(frame, 88)?;
        let hint = wire::take_u32(frame, 92)?; if !(1..=5).contains(&hint) { return None; }
        let value = wire::take_f64(frame, 96)?;
        Some(Self { instrument, hint, value })
    }
}

/// State changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateUpdate {
    /// 1 asks for a checkpoint now
    pub checkpoint: u32,
}

impl StateUpdate {
    pub const KIND: u16 = 16;
    /// Without tails.
    pub const BYTES: usize = 16;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 12, 0)?;
        wire::put_u8(out, 13, 0)?;
        wire::put_u8(out, 14, 0)?;
        wire::put_u8(out, 15, 0)?;
        wire::put_u32(out, 8, self.checkpoint)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let checkpoint = wire::take_u32(frame, 8)?;
        Some(Self { checkpoint })
    }
}

/// A short tag and a score; never free text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TelemetryHint {
    /// [a-z0-9_.]{1,32}
    pub tag: [u8; 32],
    pub score: f64,
}

impl TelemetryHint {
    pub const KIND: u16 = 17;
    /// Without tails.
    pub const BYTES: usize = 48;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_text(out, 8, &self.tag)?;
        wire::put_f64(out, 40, self.score)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let tag = wire::take_text(frame, 8)?;
        let score = wire::take_f64(frame, 40)?;
        Some(Self { tag, score })
    }
}

/// Wishes on_timer at a time; replaces the timer of the same id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimerRequest {
    pub timer_id: u32,
    /// 0 cancels
    pub at_us: i64,
}

impl TimerRequest {
    pub const KIND: u16 = 18;
    /// Without tails.
    pub const BYTES: usize = 24;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 12, 0)?;
        wire::put_u8(out, 13, 0)?;
        wire::put_u8(out, 14, 0)?;
        wire::put_u8(out, 15, 0)?;
        wire::put_u32(out, 8, self.timer_id)?;
        wire::put_i64(out, 16, self.at_us)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let timer_id = wire::take_u32(frame, 8)?;
        let at_us = wire::take_i64(frame, 16)?;
        Some(Self { timer_id, at_us })
    }
}

/// A bounded line for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLine<'a> {
    pub level: u32,
    /// Bytes.
    pub text: &'a [u8],
}

impl<'a> LogLine<'a> {
    pub const KIND: u16 = 19;
    /// Without tails.
    pub const BYTES: usize = 16;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.text.len());
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 8, self.level)?; if !(1..=4).contains(&self.level) { return None; }
        wire::put_u32(out, 12, (self.text.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.text)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let level = wire::take_u32(frame, 8)?; if !(1..=4).contains(&level) { return None; }
        let at = Self::BYTES;
        let (text, at) = wire::take_tail(frame, at, wire::take_u32(frame, 12)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { level, text })
    }
}

/// Answer to save_state and migrate_state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SavedState<'a> {
    pub schema_version: u32,
    /// Bytes.
    pub state: &'a [u8],
}

impl<'a> SavedState<'a> {
    pub const KIND: u16 = 20;
    /// Without tails.
    pub const BYTES: usize = 16;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.state.len());
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 8, self.schema_version)?;
        wire::put_u32(out, 12, (self.state.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.state)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let schema_version = wire::take_u32(frame, 8)?;
        let at = Self::BYTES;
        let (state, at) = wire::take_tail(frame, at, wire::take_u32(frame, 12)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { schema_version, state })
    }
}

/// Answer to healthcheck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthReport {
    pub health: u32,
    pub reason: u32,
}

impl HealthReport {
    pub const KIND: u16 = 21;
    /// Without tails.
    pub const BYTES: usize = 16;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES;
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 8, self.health)?; if !(1..=3).contains(&self.health) { return None; }
        wire::put_u32(out, 12, self.reason)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() != Self::BYTES { return None; }
        let health = wire::take_u32(frame, 8)?; if !(1..=3).contains(&health) { return None; }
        let reason = wire::take_u32(frame, 12)?;
        Some(Self { health, reason })
    }
}

/// Why the status is negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorReport<'a> {
    /// the negative status, positive
    pub code: u32,
    /// Bytes.
    pub text: &'a [u8],
}

impl<'a> ErrorReport<'a> {
    pub const KIND: u16 = 22;
    /// Without tails.
    pub const BYTES: usize = 16;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.text.len());
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u32(out, 8, self.code)?;
        wire::put_u32(out, 12, (self.text.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.text)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let code = wire::take_u32(frame, 8)?;
        let at = Self::BYTES;
        let (text, at) = wire::take_tail(frame, at, wire::take_u32(frame, 12)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { code, text })
    }
}

/// Asks a model or signal service by its contract's name; Compute lane only. The answer comes as a signal_event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceRequest<'a> {
    /// the strategy's own; the answer repeats it
    pub request_id: u64,
    /// name of the contract, [a-z][a-z0-9_]{0,31}
    pub service: [u8; 32],
    /// Bytes.
    pub json: &'a [u8],
}

impl<'a> ServiceRequest<'a> {
    pub const KIND: u16 = 23;
    /// Without tails.
    pub const BYTES: usize = 56;
    /// Bytes written; `None` when a number does not fit or the room is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = Self::BYTES + wire::pad8(self.json.len());
        let out = out.get_mut(..length)?;
        wire::put_u16(out, 2, 0)?;
        wire::put_u16(out, 0, Self::KIND)?;
        wire::put_u32(out, 4, length as u32)?;
        wire::put_u8(out, 52, 0)?;
        wire::put_u8(out, 53, 0)?;
        wire::put_u8(out, 54, 0)?;
        wire::put_u8(out, 55, 0)?;
        wire::put_u64(out, 8, self.request_id)?;
        wire::put_text(out, 16, &self.service)?;
        wire::put_u32(out, 48, (self.json.len() / 1) as u32)?;
        let at = Self::BYTES;
        wire::put_tail(out, at, self.json)?;
        Some(length)
    }
    /// `frame` is the whole frame; `None` when malformed.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        if frame.len() < Self::BYTES { return None; }
        let request_id = wire::take_u64(frame, 8)?;
        let service = wire::take_text(frame, 16)?;
        let at = Self::BYTES;
        let (json, at) = wire::take_tail(frame, at, wire::take_u32(frame, 48)? as usize, 1)?;
        if at != frame.len() { return None; }
        Some(Self { request_id, service, json })
    }
}
