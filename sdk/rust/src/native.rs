//! Runs a strategy as a process of its own (rust_native) in the host's jail, over standard input and output.
//!
//! Messages are `{u32 bytes}` and the bytes, both ways (docs/formats/abi.md, "Jail"). First an empty one says that the
//! process runs. A request is `{u8 callback, u8 0, u16 frames, u32 0}` and the frames; the reply `{i32 status, u32 taken}`
//! and the output of the last frame taken: the first that put something out or failed, or the last of all.

use crate::{callback, wire, Host, Strategy};
use std::io::{self, Read, Write};

const MESSAGE_BYTES: usize = 1_048_576;
const HEAD: usize = 8;

/// Serves until the pipe closes. `fn main() { rumi_sdk::native::serve::<MyStrategy>().ok(); }`
pub fn serve<T: Strategy>() -> io::Result<()> {
    serve_over::<T>(&mut io::stdin().lock(), &mut io::stdout().lock())
}

/// As `serve`, over any pair of streams.
pub fn serve_over<T: Strategy>(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut host = Box::new(Host::new());
    let mut strategy: Option<T> = None;
    let mut message = Vec::new();
    let mut reply = Vec::new();
    output.write_all(&[0; 4])?;
    output.flush()?;
    loop {
        let mut size = [0_u8; 4];
        if input.read_exact(&mut size).is_err() {
            return Ok(());
        }
        let bytes = u32::from_le_bytes(size) as usize;
        if !(HEAD..=MESSAGE_BYTES).contains(&bytes) {
            return Ok(());
        }
        message.resize(bytes, 0);
        input.read_exact(&mut message)?;
        let code = message.first().copied().unwrap_or(0);
        let frames = u32::from(wire::take_u16(&message, 2).unwrap_or(1)).max(1);
        let (status, taken) = answer(&mut host, &mut strategy, code, message.get(HEAD..).unwrap_or(&[]), frames);
        let out = host.output();
        reply.clear();
        reply.extend_from_slice(&((HEAD + out.len()) as u32).to_le_bytes());
        reply.extend_from_slice(&status.min(0).to_le_bytes());
        reply.extend_from_slice(&taken.to_le_bytes());
        reply.extend_from_slice(out);
        output.write_all(&reply)?;
        output.flush()?;
        if code == callback::SHUTDOWN {
            return Ok(());
        }
    }
}

/// Calls with one frame after the other until one says something; its status, and how many were taken.
fn answer<T: Strategy>(host: &mut Host, strategy: &mut Option<T>, code: u8, mut frames: &[u8], count: u32) -> (i32, u32) {
    let mut taken = 0;
    loop {
        // A single frame is what the message holds, whatever it claims to be; the host half judges it.
        let length = if count == 1 { frames.len() } else { wire::take_u32(frames, 4).map_or(frames.len(), |length| length as usize).max(8).min(frames.len()) };
        let (frame, rest) = frames.split_at(length);
        let status = match host.input().get_mut(..length) {
            Some(room) => {
                room.copy_from_slice(frame);
                host.call(strategy, code, length as i32)
            }
            None => host.call(strategy, code, -1),
        };
        frames = rest;
        taken += 1;
        if status != 0 || taken == count || frames.is_empty() {
            return (status, taken);
        }
    }
}
