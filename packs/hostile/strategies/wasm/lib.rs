//! Strategies that misbehave, one attack per build (`--cfg attack="…"`), for the sandbox's and the runtime's tests.
#![no_std]
#![allow(unexpected_cfgs)]

use rumi_sdk::wire::put_u32;
use rumi_sdk::{order_type, side, time_in_force, Config, Context, Event, OrderIntent, Refusal, RestoredState, RiskContext, Strategy};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

pub struct Hostile {
    events: u32,
}

const RISK: RiskContext = RiskContext { max_slippage_bps: 10, max_latency_us: 1_000_000, expected_holding_us: 1, budget: 1 };
const ORDER: OrderIntent =
    OrderIntent { instrument: 0, side: side::BUY, order_type: order_type::MARKET, time_in_force: time_in_force::IOC, options: 0, price: 0, quantity: 1 };

/// Runs for ever; the compiler may not see that.
fn spin() -> ! {
    let mut count = 0_u32;
    loop {
        unsafe { core::ptr::write_volatile(&mut count, count.wrapping_add(1)) };
    }
}

impl Strategy for Hostile {
    const STATE_VERSION: u32 = 1;

    fn init(_context: &mut Context, _config: Config<'_>, _restored: Option<RestoredState<'_>>) -> Result<Self, Refusal> {
        if cfg!(attack = "spin_in_init") {
            spin();
        }
        Ok(Self { events: 0 })
    }

    fn on_event(&mut self, context: &mut Context, _event: &Event<'_>) -> Result<(), Refusal> {
        self.events += 1;
        if cfg!(attack = "trap") {
            core::arch::wasm32::unreachable();
        }
        if cfg!(attack = "spin") {
            spin();
        }
        if cfg!(attack = "memory_hog") {
            // Four gigabytes, page by page; answers how many pages were had.
            let mut pages = 0_u32;
            while core::arch::wasm32::memory_grow(0, 16) != usize::MAX && pages < 65_536 {
                pages += 16;
            }
            context.telemetry("hostile.pages", f64::from(pages));
        }
        if cfg!(attack = "intent_flood") {
            for _ in 0..1_000 {
                context.order(&RISK, &ORDER);
            }
        }
        if cfg!(attack = "log_flood") {
            for _ in 0..100 {
                context.log(2, core::str::from_utf8(&[b'x'; 1_000]).unwrap_or(""));
            }
        }
        if cfg!(attack = "free_text") {
            context.telemetry("Buy_NOW!because", 1.0);
        }
        Ok(())
    }

    fn save_state(&self, out: &mut [u8]) -> Option<usize> {
        put_u32(out, 0, self.events).map(|()| 4)
    }
}

rumi_sdk::export_strategy!(Hostile);
