//! Guests that write their output by hand: malformed records, and orders that lack one metadata field each.
//!
//! `malformed`: event with cursor c does attack c % 8. `missing_metadata`: event c lacks field c % 11, in the order of
//! the specification. Both answer init, shutdown and save_state soundly.
#![no_std]
#![allow(unexpected_cfgs)]

use rumi_sdk::wire::{put_u16, put_u32, take_u64};
use rumi_sdk::{order_type, side, status, time_in_force, FrameHeader, InitCall, IntentMeta, LogLine, OrderIntent, SavedState, MISSING_I64, MISSING_U32};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

const BYTES: usize = 65_536;

#[repr(C, align(8))]
struct Buffer([u8; BYTES]);

static mut INPUT: Buffer = Buffer([0; BYTES]);
static mut OUTPUT: Buffer = Buffer([0; BYTES]);
static mut META: IntentMeta = IntentMeta::empty();

fn input(length: i32) -> &'static [u8] {
    unsafe { &*core::ptr::addr_of!(INPUT) }.0.get(..length as usize).unwrap_or(&[])
}

fn output() -> &'static mut [u8] {
    unsafe { &mut (*core::ptr::addr_of_mut!(OUTPUT)).0 }
}

fn meta() -> &'static mut IntentMeta {
    unsafe { &mut *core::ptr::addr_of_mut!(META) }
}

fn answer(written: Option<usize>) -> i32 {
    written.map_or(status::OUTPUT_OVERFLOW, |length| length as i32)
}

#[no_mangle]
pub extern "C" fn rumi_abi_version() -> i32 {
    rumi_sdk::ABI_VERSION as i32
}

#[no_mangle]
pub extern "C" fn rumi_input(bytes: i32) -> i32 {
    if (0..=BYTES as i32).contains(&bytes) { input(0).as_ptr() as i32 } else { 0 }
}

#[no_mangle]
pub extern "C" fn rumi_output() -> i32 {
    output().as_ptr() as i32
}

#[no_mangle]
pub extern "C" fn rumi_on_init(length: i32) -> i32 {
    match InitCall::read(input(length)) {
        Some(call) => {
            let trace_id = FrameHeader::read(input(length)).map_or([0; 16], |header| header.trace_id);
            *meta() = IntentMeta {
                bot: call.bot, strategy: call.strategy, version: call.version, instance: call.instance, run_id: call.run_id, trace_id,
                idempotency_key: call.next_intent_key, max_slippage_bps: 10, max_latency_us: 1_000_000, expected_holding_us: 1, budget: 1,
            };
            0
        }
        None => status::BAD_FRAME,
    }
}

#[no_mangle]
pub extern "C" fn rumi_on_event(length: i32) -> i32 {
    let attack = take_u64(input(length), 8).unwrap_or(0);
    if cfg!(attack = "malformed") {
        malformed(attack % 8)
    } else {
        missing_metadata(attack % 11, input(length))
    }
}

fn missing_metadata(field: u64, frame: &[u8]) -> i32 {
    meta().trace_id = FrameHeader::read(frame).map_or([0; 16], |header| header.trace_id);
    let mut lacking = *meta();
    meta().idempotency_key += 1;
    match field {
        0 => lacking.bot = 0,
        1 => lacking.strategy = 0,
        2 => lacking.version = 0,
        3 => lacking.instance = 0,
        4 => lacking.run_id = [0; 16],
        5 => lacking.trace_id = [0; 16],
        6 => lacking.idempotency_key = 0,
        7 => lacking.max_slippage_bps = MISSING_U32,
        8 => lacking.max_latency_us = MISSING_U32,
        9 => lacking.expected_holding_us = MISSING_I64,
        _ => lacking.budget = MISSING_I64,
    }
    let order = OrderIntent { instrument: 0, side: side::BUY, order_type: order_type::MARKET, time_in_force: time_in_force::IOC, options: 0, price: 0, quantity: 1 };
    answer(order.write(output(), &lacking))
}

fn malformed(attack: u64) -> i32 {
    let out = output();
    let line = LogLine { level: 2, text: b"before the attack" };
    let at = line.write(out).unwrap_or(0);
    let mut record = |kind: u16, length: u32| {
        let rest = out.get_mut(at..).unwrap_or(&mut []);
        put_u16(rest, 0, kind).and(put_u16(rest, 2, 0)).and(put_u32(rest, 4, length))
    };
    match attack {
        // A kind nobody knows, well-formed.
        0 => record(999, 16).map_or(0, |()| at as i32 + 16),
        // Shorter than its own header; not a multiple of eight; past the output's end; four gigabytes.
        1 => record(19, 4).map_or(0, |()| at as i32 + 16),
        2 => record(19, 17).map_or(0, |()| at as i32 + 24),
        3 => record(19, 4_096).map_or(0, |()| at as i32 + 16),
        4 => record(19, 0xffff_fff8).map_or(0, |()| at as i32 + 16),
        // An output longer than any frame; an output length that is no multiple of eight; a negative one without a meaning.
        5 => 0x7fff_fff8,
        6 => at as i32 + 3,
        _ => -12_345,
    }
}

#[no_mangle]
pub extern "C" fn rumi_on_timer(_length: i32) -> i32 {
    0
}

#[no_mangle]
pub extern "C" fn rumi_on_shutdown(_length: i32) -> i32 {
    0
}

#[no_mangle]
pub extern "C" fn rumi_on_healthcheck(_length: i32) -> i32 {
    status::UNSUPPORTED
}

#[no_mangle]
pub extern "C" fn rumi_save_state() -> i32 {
    answer(SavedState { schema_version: 1, state: &[] }.write(output()))
}

#[no_mangle]
pub extern "C" fn rumi_migrate_state(_length: i32) -> i32 {
    status::UNSUPPORTED
}
