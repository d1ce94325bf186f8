// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
//! Golden vectors of docs/formats/abi.v1.json.
use rumi_sdk::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn id(hex: &str) -> [u8; 16] {
    bytes(hex).try_into().unwrap()
}

fn put(size: usize, write: impl FnOnce(&mut [u8]) -> Option<()>) -> Vec<u8> {
    let mut out = vec![0; size];
    write(&mut out).unwrap();
    out
}

fn elements(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn trade_event() {
    let frame = bytes("010060ea60000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f010000000000e0ff0100000003000000fdffffffffff1f000200000000000000");
    let value = TradeEvent { price: -9007199254740991, quantity: 12884901889, trade_id: 9007199254740989, aggressor: 2 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(TradeEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(TradeEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn quote_event() {
    let frame = bytes("020060ea60000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f010000000000e0ff0100000003000000030000000000e0ff0300000003000000");
    let value = QuoteEvent { bid_price: -9007199254740991, bid_quantity: 12884901889, ask_price: -9007199254740989, ask_quantity: 12884901891 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(QuoteEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(QuoteEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn bar_event() {
    let frame = bytes("030060ea80000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f010000000000e0ff0100000003000000030000000000e0ff0300000003000000050000000000e0ff0500000003000000070000000000e0fff8ffffffffff1f00");
    let value = BarEvent { open_time_us: -9007199254740991, duration_us: 12884901889, open: -9007199254740989, high: 12884901891, low: -9007199254740987, close: 12884901893, volume: -9007199254740985, trades: 9007199254740984 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(BarEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(BarEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn book_event() {
    let bids = elements(&[put(Level::BYTES, |out| Level { price: -9007199254740991, quantity: 12884901889 }.write(out)), put(Level::BYTES, |out| Level { price: 12884901889, quantity: -9007199254740989 }.write(out))]);
    let asks = elements(&[put(Level::BYTES, |out| Level { price: -9007199254740991, quantity: 12884901889 }.write(out)), put(Level::BYTES, |out| Level { price: 12884901889, quantity: -9007199254740989 }.write(out))]);
    let frame = bytes("040060eaa0000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6fffffffffffff1f00feffffffffff1f0002000000020000000200000000000000010000000000e0ff01000000030000000100000003000000030000000000e0ff010000000000e0ff01000000030000000100000003000000030000000000e0ff");
    let value = BookEvent { first_sequence: 9007199254740991, last_sequence: 9007199254740990, action: 2, bids: &bids, asks: &asks };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(BookEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(BookEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn execution_event() {
    let frame = bytes("050060ea90000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f0700020203286bee636c69656e745f6f2e3400000000000000000000000000000000000000000000faffffffffff1f00070000000000e0ff0700000003000000090000000000e0ff0900000003000000");
    let value = ExecutionEvent { report: 7, side: 2, liquidity: 2, reason: 4000000003, client_order_id: wire::text_field("client_o.4"), idempotency_key: 9007199254740986, price: -9007199254740985, quantity: 12884901895, remaining: -9007199254740983, fee: 12884901897 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(ExecutionEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(ExecutionEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn safety_event() {
    let frame = bytes("060060ea50000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f0300000004000000fdffffffffff1f00");
    let value = SafetyEvent { mode: 3, kill_switch: 4, generation: 9007199254740989 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(SafetyEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(SafetyEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn timer_event() {
    let frame = bytes("070060ea50000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f00286bee000000000100000003000000");
    let value = TimerEvent { timer_id: 4000000000, due_us: 12884901889 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(TimerEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(TimerEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn signal_event() {
    let json = bytes("7b227d7d7d");
    let frame = bytes("080060ea50000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f05000000000000007b227d7d7d000000");
    let value = SignalEvent { json: &json };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(SignalEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(SignalEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn config_event() {
    let json = bytes("7b227d7d7d");
    let frame = bytes("090060ea60000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f0300000000000000feffffffffff1f0005000000000000007b227d7d7d000000");
    let value = ConfigEvent { apply: 3, generation: 9007199254740990, json: &json };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(ConfigEvent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(ConfigEvent::read(&frame[..cut]), None);
    }
}

#[test]
fn init_call() {
    let instruments = elements(&[put(Instrument::BYTES, |out| Instrument { instrument_id: wire::text_field("instrume.0"), base_currency: wire::text_field("base_cur.1"), quote_currency: wire::text_field("quote_cu.2"), price_digits: 4000000003, quantity_digits: 4000000004, tick_size: 12884901893, lot_size: -9007199254740985, min_quantity: 12884901895, max_quantity: -9007199254740983 }.write(out)), put(Instrument::BYTES, |out| Instrument { instrument_id: wire::text_field("instrume.1"), base_currency: wire::text_field("base_cur.2"), quote_currency: wire::text_field("quote_cu.3"), price_digits: 4000000004, quantity_digits: 4000000005, tick_size: -9007199254740985, lot_size: 12884901895, min_quantity: -9007199254740983, max_quantity: 12884901897 }.write(out))]);
    let config = bytes("7b227d7d7d7d7d");
    let state = bytes("7b227d7d7d7d7d7d7d");
    let frame = bytes("200060eac8020000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f00286bee04000000202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3ffbffffffffff1f0005286bee06286bee07286bee08286bee626f745f69642e39000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000073747261746567792e3130000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000073747261746567792e31310000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000696e7374616e63652e313200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000d286bee020000000700000009000000696e737472756d652e300000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000626173655f6375722e3100000000000071756f74655f63752e3200000000000003286bee04286bee0500000003000000070000000000e0ff0700000003000000090000000000e0ff696e737472756d652e310000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000626173655f6375722e3200000000000071756f74655f63752e3300000000000004286bee05286bee070000000000e0ff0700000003000000090000000000e0ff09000000030000007b227d7d7d7d7d007b227d7d7d7d7d7d7d00000000000000");
    let value = InitCall { abi_version: 4000000000, mode: 4, run_id: id("202122232425262728292a2b2c2d2e2f"), seed: id("303132333435363738393a3b3c3d3e3f"), next_intent_key: 9007199254740987, bot: 4000000005, strategy: 4000000006, version: 4000000007, instance: 4000000008, bot_id: wire::text_field("bot_id.9"), strategy_id: wire::text_field("strategy.10"), strategy_version: wire::text_field("strategy.11"), instance_id: wire::text_field("instance.12"), state_version: 4000000013, instruments: &instruments, config: &config, state: &state };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(InitCall::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(InitCall::read(&frame[..cut]), None);
    }
}

#[test]
fn shutdown_call() {
    let frame = bytes("210060ea48000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f0500000000000000");
    let value = ShutdownCall { reason: 5 };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(ShutdownCall::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(ShutdownCall::read(&frame[..cut]), None);
    }
}

#[test]
fn healthcheck_call() {
    let frame = bytes("220060ea40000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f");
    let value = HealthcheckCall {  };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(HealthcheckCall::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(HealthcheckCall::read(&frame[..cut]), None);
    }
}

#[test]
fn save_state_call() {
    let frame = bytes("230060ea40000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f");
    let value = SaveStateCall {  };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(SaveStateCall::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(SaveStateCall::read(&frame[..cut]), None);
    }
}

#[test]
fn migrate_state_call() {
    let state = bytes("7b227d7d7d");
    let frame = bytes("240060ea50000000feffffffffff1f00030000000000e0ff0300000003000000050000000000e0ff05286bee01000000606162636465666768696a6b6c6d6e6f00286bee050000007b227d7d7d000000");
    let value = MigrateStateCall { from_version: 4000000000, state: &state };
    let head = FrameHeader { flags: 60000, cursor: 9007199254740990, event_time_us: -9007199254740989, received_time_us: 12884901891, processed_time_us: -9007199254740987, instrument: 4000000005, trace_id: id("606162636465666768696a6b6c6d6e6f") };
    assert_eq!(FrameHeader::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(MigrateStateCall::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(MigrateStateCall::read(&frame[..cut]), None);
    }
}

#[test]
fn order_intent() {
    let frame = bytes("010000007000000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ff00286bee020203cc0500000003000000070000000000e0ff");
    let value = OrderIntent { instrument: 4000000000, side: 2, order_type: 2, time_in_force: 3, options: 204, price: 12884901893, quantity: -9007199254740985 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(OrderIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(OrderIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn cancel_intent() {
    let frame = bytes("020000006800000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ffffffffffffff1f0001286bee00000000");
    let value = CancelIntent { target_key: 9007199254740991, instrument: 4000000001 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(CancelIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(CancelIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn amend_intent() {
    let frame = bytes("030000007800000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ffffffffffffff1f0001286bee00000000030000000000e0ff0300000003000000");
    let value = AmendIntent { target_key: 9007199254740991, instrument: 4000000001, price: -9007199254740989, quantity: 12884901891 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(AmendIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(AmendIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn position_intent() {
    let frame = bytes("040000007000000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ff00286bee02000000030000000000e0ff0300000003000000");
    let value = PositionIntent { instrument: 4000000000, order_type: 2, target: -9007199254740989, limit_price: 12884901891 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(PositionIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(PositionIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn alert_intent() {
    let frame = bytes("050000008000000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ff00286bee03ca00000300000003000000050000000000e0ff0500000003000000070000000000e0ff");
    let value = AlertIntent { code: 4000000000, severity: 3, args: 202, arg0: 12884901891, arg1: -9007199254740987, arg2: 12884901893, arg3: -9007199254740985 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(AlertIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(AlertIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn noop_intent() {
    let frame = bytes("060000006000000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ff00286bee00000000");
    let value = NoopIntent { reason: 4000000000 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(NoopIntent::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(NoopIntent::read(&frame[..cut]), None);
    }
}

#[test]
fn risk_hint() {
    let frame = bytes("070000006800000000286bee01286bee02286bee03286bee404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5ff9ffffffffff1f0007286bee08286bee09000000030000000b0000000000e0ff00286bee0500000000000000000014c0");
    let value = RiskHint { instrument: 4000000000, hint: 5, value: -5_f64 };
    let head = IntentMeta { bot: 4000000000, strategy: 4000000001, version: 4000000002, instance: 4000000003, run_id: id("404142434445464748494a4b4c4d4e4f"), trace_id: id("505152535455565758595a5b5c5d5e5f"), idempotency_key: 9007199254740985, max_slippage_bps: 4000000007, max_latency_us: 4000000008, expected_holding_us: 12884901897, budget: -9007199254740981 };
    assert_eq!(IntentMeta::read(&frame), Some(head));
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out, &head).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(RiskHint::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(RiskHint::read(&frame[..cut]), None);
    }
}

#[test]
fn state_update() {
    let frame = bytes("100000001000000000286bee00000000");
    let value = StateUpdate { checkpoint: 4000000000 };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(StateUpdate::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(StateUpdate::read(&frame[..cut]), None);
    }
}

#[test]
fn telemetry_hint() {
    let frame = bytes("11000000300000007461672e3000000000000000000000000000000000000000000000000000000000000000000004c0");
    let value = TelemetryHint { tag: wire::text_field("tag.0"), score: -2.5_f64 };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(TelemetryHint::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(TelemetryHint::read(&frame[..cut]), None);
    }
}

#[test]
fn timer_request() {
    let frame = bytes("120000001800000000286bee000000000100000003000000");
    let value = TimerRequest { timer_id: 4000000000, at_us: 12884901889 };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(TimerRequest::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(TimerRequest::read(&frame[..cut]), None);
    }
}

#[test]
fn log_line() {
    let text = bytes("7b227d7d7d");
    let frame = bytes("130000001800000004000000050000007b227d7d7d000000");
    let value = LogLine { level: 4, text: &text };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(LogLine::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(LogLine::read(&frame[..cut]), None);
    }
}

#[test]
fn saved_state() {
    let state = bytes("7b227d7d7d");
    let frame = bytes("140000001800000000286bee050000007b227d7d7d000000");
    let value = SavedState { schema_version: 4000000000, state: &state };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(SavedState::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(SavedState::read(&frame[..cut]), None);
    }
}

#[test]
fn health_report() {
    let frame = bytes("15000000100000000300000001286bee");
    let value = HealthReport { health: 3, reason: 4000000001 };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(HealthReport::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(HealthReport::read(&frame[..cut]), None);
    }
}

#[test]
fn error_report() {
    let text = bytes("7b227d7d7d");
    let frame = bytes("160000001800000000286bee050000007b227d7d7d000000");
    let value = ErrorReport { code: 4000000000, text: &text };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(ErrorReport::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(ErrorReport::read(&frame[..cut]), None);
    }
}

#[test]
fn service_request() {
    let json = bytes("7b227d7d7d");
    let frame = bytes("1700000040000000ffffffffffff1f00736572766963652e31000000000000000000000000000000000000000000000005000000000000007b227d7d7d000000");
    let value = ServiceRequest { request_id: 9007199254740991, service: wire::text_field("service.1"), json: &json };
    let mut out = [0xff_u8; 8192];
    let length = value.write(&mut out).unwrap();
    assert_eq!(&out[..length], &frame[..]);
    assert_eq!(ServiceRequest::read(&frame), Some(value));
    for cut in 0..frame.len() {
        assert_eq!(ServiceRequest::read(&frame[..cut]), None);
    }
}
