//! The host half: takes a frame from the input buffer, calls the strategy, leaves records in the output buffer.
//!
//! `Host` is all zeros until init, and the strategy lives beside it, so that a module carries no image of the buffers.

use crate::context::{Context, Identity, INSTRUMENTS};
use crate::generated::*;
use crate::random::Random;
use crate::{wire, Body, Config, Event, Refusal, RestoredState, Strategy};

pub const INPUT_BYTES: usize = 262_144;

#[repr(C, align(8))]
pub struct Host {
    input: [u8; INPUT_BYTES],
    context: Context,
    scratch: [u8; INPUT_BYTES / 4],
}

const BAD_FRAME: Refusal = Refusal { status: status::BAD_FRAME, reason: "bad frame" };
const NOT_INITIALISED: Refusal = Refusal { status: status::NOT_INITIALISED, reason: "not initialised" };
const UNSUPPORTED: Refusal = Refusal { status: status::UNSUPPORTED, reason: "unsupported" };
const STATE_REFUSED: Refusal = Refusal { status: status::STATE_REFUSED, reason: "state refused" };

impl Host {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { input: [0; INPUT_BYTES], context: Context::empty(), scratch: [0; INPUT_BYTES / 4] }
    }

    pub fn input_address(&self, bytes: i32) -> i32 {
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= INPUT_BYTES => self.input.as_ptr() as usize as i32,
            _ => 0,
        }
    }

    pub fn output_address(&self) -> i32 {
        self.context.output.0.as_ptr() as usize as i32
    }

    /// For the pipe and for tests: where the frame of the next call goes.
    pub fn input(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// What the last call put out.
    pub fn output(&self) -> &[u8] {
        self.context.output.0.get(..self.context.used).unwrap_or(&[])
    }

    /// The output's length, or a negative `status`.
    pub fn call<T: Strategy>(&mut self, strategy: &mut Option<T>, callback: u8, length: i32) -> i32 {
        let Self { input, context, scratch } = self;
        context.used = 0;
        context.overflow = false;
        let frame = usize::try_from(length).ok().and_then(|length| input.get(..length)).unwrap_or(&[]);
        match run(callback, frame, context, scratch, strategy) {
            Ok(()) if context.overflow => status::OUTPUT_OVERFLOW,
            Ok(()) => context.used as i32,
            Err(refusal) => {
                context.used = 0;
                context.report_error(refusal.status, refusal.reason);
                refusal.status
            }
        }
    }
}

fn run<T: Strategy>(callback: u8, frame: &[u8], context: &mut Context, scratch: &mut [u8], strategy: &mut Option<T>) -> Result<(), Refusal> {
    if callback == callback::SAVE_STATE {
        let length = strategy.as_ref().ok_or(NOT_INITIALISED)?.save_state(scratch).ok_or(STATE_REFUSED)?;
        return saved::<T>(context, scratch, length);
    }
    let kind = wire::take_u16(frame, 0).ok_or(BAD_FRAME)?;
    if wire::take_u32(frame, 4) != Some(frame.len() as u32) || wire::take_u32(frame, 44) != Some(ABI_VERSION) {
        return Err(BAD_FRAME);
    }
    context.header = FrameHeader::read(frame).ok_or(BAD_FRAME)?;
    match (callback, kind) {
        (callback::INIT, InitCall::KIND) => init(frame, context, strategy),
        (callback::EVENT, _) => {
            let body = body(kind, frame).ok_or(BAD_FRAME)?;
            let event = Event { header: context.header, body };
            strategy.as_mut().ok_or(NOT_INITIALISED)?.on_event(context, &event)
        }
        (callback::TIMER, TimerEvent::KIND) => {
            let timer = TimerEvent::read(frame).ok_or(BAD_FRAME)?;
            strategy.as_mut().ok_or(NOT_INITIALISED)?.on_timer(context, timer.timer_id, timer.due_us)
        }
        (callback::SHUTDOWN, ShutdownCall::KIND) => {
            let call = ShutdownCall::read(frame).ok_or(BAD_FRAME)?;
            strategy.as_mut().ok_or(NOT_INITIALISED)?.on_shutdown(context, call.reason)
        }
        (callback::HEALTHCHECK, HealthcheckCall::KIND) => {
            let report = strategy.as_mut().ok_or(NOT_INITIALISED)?.on_healthcheck(context).ok_or(UNSUPPORTED)?;
            append(context, |out| report.write(out))
        }
        (callback::MIGRATE_STATE, MigrateStateCall::KIND) => {
            let call = MigrateStateCall::read(frame).ok_or(BAD_FRAME)?;
            let length = T::migrate_state(call.from_version, call.state, scratch).ok_or(UNSUPPORTED)?;
            saved::<T>(context, scratch, length)
        }
        _ => Err(BAD_FRAME),
    }
}

fn init<T: Strategy>(frame: &[u8], context: &mut Context, strategy: &mut Option<T>) -> Result<(), Refusal> {
    let call = InitCall::read(frame).ok_or(BAD_FRAME)?;
    if call.abi_version != ABI_VERSION {
        return Err(Refusal { status: status::BAD_ABI_VERSION, reason: "abi version" });
    }
    if call.instruments.len() > INSTRUMENTS * Instrument::BYTES {
        return Err(Refusal { status: status::CONFIG_REFUSED, reason: "too many instruments" });
    }
    context.instrument_count = 0;
    for (slot, bytes) in context.instruments.iter_mut().zip(call.instruments.chunks_exact(Instrument::BYTES)) {
        *slot = Instrument::read(bytes).ok_or(BAD_FRAME)?;
        context.instrument_count += 1;
    }
    context.random = Random::new(&call.seed);
    context.next_key = call.next_intent_key;
    context.init = Identity {
        mode: call.mode,
        run_id: call.run_id,
        bot: call.bot,
        strategy: call.strategy,
        version: call.version,
        instance: call.instance,
        bot_id: call.bot_id,
        instance_id: call.instance_id,
    };
    let restored = (call.state_version != 0).then_some(RestoredState { version: call.state_version, bytes: call.state });
    *strategy = Some(T::init(context, Config::new(call.config), restored)?);
    Ok(())
}

fn body(kind: u16, frame: &[u8]) -> Option<Body<'_>> {
    Some(match kind {
        TradeEvent::KIND => Body::Trade(TradeEvent::read(frame)?),
        QuoteEvent::KIND => Body::Quote(QuoteEvent::read(frame)?),
        BarEvent::KIND => Body::Bar(BarEvent::read(frame)?),
        BookEvent::KIND => Body::Book(BookEvent::read(frame)?),
        ExecutionEvent::KIND => Body::Execution(ExecutionEvent::read(frame)?),
        SafetyEvent::KIND => Body::Safety(SafetyEvent::read(frame)?),
        SignalEvent::KIND => Body::Signal(SignalEvent::read(frame)?),
        ConfigEvent::KIND => Body::Config(ConfigEvent::read(frame)?),
        _ => return None,
    })
}

fn saved<T: Strategy>(context: &mut Context, scratch: &[u8], length: usize) -> Result<(), Refusal> {
    let state = scratch.get(..length).ok_or(STATE_REFUSED)?;
    append(context, |out| SavedState { schema_version: T::STATE_VERSION, state }.write(out))
}

fn append(context: &mut Context, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<(), Refusal> {
    match context.output.0.get_mut(context.used..).and_then(write) {
        Some(length) => context.used += length,
        None => context.overflow = true,
    }
    Ok(())
}
