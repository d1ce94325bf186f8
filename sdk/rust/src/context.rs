//! What a strategy sees and may say during one callback.

use crate::generated::*;
use crate::random::Random;
use crate::wire;

/// Instruments one strategy instance may be given.
pub const INSTRUMENTS: usize = 64;
pub const OUTPUT_BYTES: usize = 131_072;

/// Mandatory risk context of intents (M-2.4.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskContext {
    pub max_slippage_bps: u32,
    pub max_latency_us: u32,
    pub expected_holding_us: i64,
    /// Quote currency, scaled by 10^8.
    pub budget: i64,
}

/// Who runs this strategy, from init. All zero bytes when empty, so that a module carries no image of it.
pub(crate) struct Identity {
    pub mode: u32,
    pub run_id: [u8; 16],
    pub bot: u32,
    pub strategy: u32,
    pub version: u32,
    pub instance: u32,
    pub bot_id: [u8; 64],
    pub instance_id: [u8; 64],
}

/// Begins at a multiple of eight, as the ABI wants.
#[repr(C, align(8))]
pub(crate) struct Output(pub [u8; OUTPUT_BYTES]);

/// What a strategy sees of the world and says to it.
pub struct Context {
    pub(crate) output: Output,
    pub(crate) used: usize,
    pub(crate) overflow: bool,
    pub(crate) init: Identity,
    pub(crate) instruments: [Instrument; INSTRUMENTS],
    pub(crate) instrument_count: usize,
    pub(crate) header: FrameHeader,
    pub(crate) next_key: u64,
    pub(crate) random: Random,
}

impl Context {
    pub(crate) const fn empty() -> Self {
        Self {
            output: Output([0; OUTPUT_BYTES]),
            used: 0,
            overflow: false,
            init: Identity { mode: 0, run_id: [0; 16], bot: 0, strategy: 0, version: 0, instance: 0, bot_id: [0; 64], instance_id: [0; 64] },
            instruments: [Instrument::empty(); INSTRUMENTS],
            instrument_count: 0,
            header: FrameHeader::empty(),
            next_key: 0,
            random: Random::empty(),
        }
    }

    /// Time of the input at hand; the only clock there is.
    pub fn now_us(&self) -> i64 {
        self.header.processed_time_us
    }

    /// When and how good the input at hand is.
    pub fn header(&self) -> &FrameHeader {
        &self.header
    }

    pub fn instruments(&self) -> &[Instrument] {
        self.instruments.get(..self.instrument_count).unwrap_or(&[])
    }

    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// One of `run_mode`.
    pub fn mode(&self) -> u32 {
        self.init.mode
    }

    pub fn bot_id(&self) -> &str {
        wire::text(&self.init.bot_id)
    }

    pub fn instance_id(&self) -> &str {
        wire::text(&self.init.instance_id)
    }

    /// Metadata for the next intent; every call counts the key up.
    fn meta(&mut self, risk: &RiskContext) -> IntentMeta {
        let key = self.next_key;
        self.next_key = key.saturating_add(1);
        IntentMeta {
            bot: self.init.bot,
            strategy: self.init.strategy,
            version: self.init.version,
            instance: self.init.instance,
            run_id: self.init.run_id,
            trace_id: self.header.trace_id,
            idempotency_key: key,
            max_slippage_bps: risk.max_slippage_bps,
            max_latency_us: risk.max_latency_us,
            expected_holding_us: risk.expected_holding_us,
            budget: risk.budget,
        }
    }

    fn emit(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        match self.output.0.get_mut(self.used..).and_then(write) {
            Some(length) => {
                self.used += length;
                true
            }
            None => {
                self.overflow = true;
                false
            }
        }
    }

    fn intent(&mut self, risk: &RiskContext, write: impl FnOnce(&mut [u8], &IntentMeta) -> Option<usize>) -> Option<u64> {
        let meta = self.meta(risk);
        self.emit(|out| write(out, &meta)).then_some(meta.idempotency_key)
    }

    /// The intent's key, by which its order is cancelled, amended and recognised in execution events.
    pub fn order(&mut self, risk: &RiskContext, order: &OrderIntent) -> Option<u64> {
        self.intent(risk, |out, meta| order.write(out, meta))
    }

    pub fn cancel(&mut self, risk: &RiskContext, cancel: &CancelIntent) -> Option<u64> {
        self.intent(risk, |out, meta| cancel.write(out, meta))
    }

    pub fn amend(&mut self, risk: &RiskContext, amend: &AmendIntent) -> Option<u64> {
        self.intent(risk, |out, meta| amend.write(out, meta))
    }

    pub fn position(&mut self, risk: &RiskContext, position: &PositionIntent) -> Option<u64> {
        self.intent(risk, |out, meta| position.write(out, meta))
    }

    pub fn alert(&mut self, risk: &RiskContext, alert: &AlertIntent) -> Option<u64> {
        self.intent(risk, |out, meta| alert.write(out, meta))
    }

    pub fn noop(&mut self, risk: &RiskContext, reason: u32) -> Option<u64> {
        self.intent(risk, |out, meta| NoopIntent { reason }.write(out, meta))
    }

    pub fn risk_hint(&mut self, risk: &RiskContext, hint: &RiskHint) -> Option<u64> {
        self.intent(risk, |out, meta| hint.write(out, meta))
    }

    pub fn request_checkpoint(&mut self) {
        self.emit(|out| StateUpdate { checkpoint: 1 }.write(out));
    }

    /// `tag`: `[a-z0-9_.]{1,32}`; the host drops anything else.
    pub fn telemetry(&mut self, tag: &str, score: f64) {
        self.emit(|out| TelemetryHint { tag: wire::text_field(tag), score }.write(out));
    }

    /// `at_us` 0 cancels the timer.
    pub fn timer(&mut self, timer_id: u32, at_us: i64) {
        self.emit(|out| TimerRequest { timer_id, at_us }.write(out));
    }

    /// Asks a service by its contract's name (Compute lane, descriptor capability `services`); `json` is one JSON object.
    /// The answer comes as a signal event with the same `request_id`.
    pub fn ask(&mut self, service: &str, request_id: u64, json: &[u8]) {
        self.emit(|out| ServiceRequest { request_id, service: wire::text_field(service), json }.write(out));
    }

    /// Cut at 1024 bytes.
    pub fn log(&mut self, level: u32, text: &str) {
        let bytes = text.as_bytes();
        let bytes = bytes.get(..LOG_LINE_BYTES).unwrap_or(bytes);
        self.emit(|out| LogLine { level, text: bytes }.write(out));
    }

    pub(crate) fn report_error(&mut self, code: i32, text: &str) {
        self.emit(|out| ErrorReport { code: code.unsigned_abs(), text: text.as_bytes() }.write(out));
    }
}
