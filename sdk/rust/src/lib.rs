//! Write Rumi strategies in Rust. `docs/strategy-rust.md` is the guide.
//!
//! A strategy is a type with the trait [`Strategy`] and one line `rumi_sdk::export_strategy!(MyStrategy);`.
//! The SDK has no dependencies and imports nothing, so the module's only way out is its output buffer.
//! Bad input never panics: it becomes a negative status.
#![cfg_attr(not(any(test, feature = "std")), no_std)]

pub mod config;
pub mod context;
#[allow(clippy::all)]
pub mod generated;
pub mod host;
#[cfg(feature = "std")]
pub mod native;
pub mod random;
pub mod wire;

pub use config::Config;
pub use context::{Context, RiskContext};
pub use generated::*;
pub use host::Host;

/// Why a strategy refuses; a coded answer, never a panic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// One of `status`.
    pub status: i32,
    pub reason: &'static str,
}

pub struct RestoredState<'a> {
    pub version: u32,
    pub bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body<'a> {
    Trade(TradeEvent),
    Quote(QuoteEvent),
    Bar(BarEvent),
    Book(BookEvent<'a>),
    Execution(ExecutionEvent),
    Safety(SafetyEvent),
    Signal(SignalEvent<'a>),
    Config(ConfigEvent<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    pub header: FrameHeader,
    pub body: Body<'a>,
}

pub trait Strategy: Sized {
    /// Version of what `save_state` writes.
    const STATE_VERSION: u32;

    fn init(context: &mut Context, config: Config<'_>, restored: Option<RestoredState<'_>>) -> Result<Self, Refusal>;
    fn on_event(&mut self, context: &mut Context, event: &Event<'_>) -> Result<(), Refusal>;

    fn on_timer(&mut self, _context: &mut Context, _timer_id: u32, _due_us: i64) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_shutdown(&mut self, _context: &mut Context, _reason: u32) -> Result<(), Refusal> {
        Ok(())
    }

    /// Optional: `None` answers "unsupported".
    fn on_healthcheck(&mut self, _context: &mut Context) -> Option<HealthReport> {
        None
    }

    /// Bytes written to `out`; `None` when they do not fit.
    fn save_state(&self, out: &mut [u8]) -> Option<usize>;

    /// Optional: turns the bytes of an older version into this version's; `None` refuses.
    fn migrate_state(_from_version: u32, _bytes: &[u8], _out: &mut [u8]) -> Option<usize> {
        None
    }
}

/// Exports a strategy as a WebAssembly module with the ABI's names.
#[macro_export]
macro_rules! export_strategy {
    ($strategy:ty) => {
        static mut HOST: $crate::Host = $crate::Host::new();
        static mut STRATEGY: Option<$strategy> = None;

        /// One thread, no re-entry: a WebAssembly instance is called by one lane at a time.
        fn host() -> &'static mut $crate::Host {
            unsafe { &mut *core::ptr::addr_of_mut!(HOST) }
        }
        fn call(callback: u8, length: i32) -> i32 {
            host().call(unsafe { &mut *core::ptr::addr_of_mut!(STRATEGY) }, callback, length)
        }

        #[no_mangle]
        pub extern "C" fn rumi_abi_version() -> i32 {
            $crate::ABI_VERSION as i32
        }
        #[no_mangle]
        pub extern "C" fn rumi_input(bytes: i32) -> i32 {
            host().input_address(bytes)
        }
        #[no_mangle]
        pub extern "C" fn rumi_output() -> i32 {
            host().output_address()
        }
        #[no_mangle]
        pub extern "C" fn rumi_on_init(length: i32) -> i32 {
            call($crate::callback::INIT, length)
        }
        #[no_mangle]
        pub extern "C" fn rumi_on_event(length: i32) -> i32 {
            call($crate::callback::EVENT, length)
        }
        #[no_mangle]
        pub extern "C" fn rumi_on_timer(length: i32) -> i32 {
            call($crate::callback::TIMER, length)
        }
        #[no_mangle]
        pub extern "C" fn rumi_on_shutdown(length: i32) -> i32 {
            call($crate::callback::SHUTDOWN, length)
        }
        #[no_mangle]
        pub extern "C" fn rumi_on_healthcheck(length: i32) -> i32 {
            call($crate::callback::HEALTHCHECK, length)
        }
        #[no_mangle]
        pub extern "C" fn rumi_save_state() -> i32 {
            call($crate::callback::SAVE_STATE, 0)
        }
        #[no_mangle]
        pub extern "C" fn rumi_migrate_state(length: i32) -> i32 {
            call($crate::callback::MIGRATE_STATE, length)
        }
    };
}
