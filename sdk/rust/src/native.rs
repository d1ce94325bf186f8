//! Runs a strategy as a process of its own (rust_native) over the pipe transport on standard input and output.

use crate::{callback, status, Host, Strategy};
use std::io::{self, Read, Write};

/// Serves until the pipe closes. `fn main() { rumi_sdk::native::serve::<MyStrategy>().ok(); }`
pub fn serve<T: Strategy>() -> io::Result<()> {
    let mut host = Box::new(Host::new());
    let mut strategy: Option<T> = None;
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut payload = Vec::new();
    let mut replies = Vec::new();
    loop {
        let mut head = [0_u8; 8];
        if input.read_exact(&mut head).is_err() {
            return Ok(());
        }
        let bytes = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let frames = u16::from_le_bytes([head[6], head[7]]);
        if bytes > 1_048_576 {
            return Ok(());
        }
        payload.resize(bytes, 0);
        input.read_exact(&mut payload)?;
        replies.clear();
        let mut at = 0;
        for _ in 0..frames {
            let length = crate::wire::take_u32(&payload, at + 4).unwrap_or(0) as usize;
            let code = match (payload.get(at..at.saturating_add(length)), host.input().get_mut(..length)) {
                (Some(frame), Some(to)) if length >= 64 => {
                    to.copy_from_slice(frame);
                    host.call(&mut strategy, head[4], length as i32)
                }
                _ => status::BAD_FRAME,
            };
            at = at.saturating_add(length);
            let out = if code == status::BAD_FRAME { &[] } else { host.output() };
            replies.extend_from_slice(&(out.len() as u32).to_le_bytes());
            replies.extend_from_slice(&code.to_le_bytes());
            replies.extend_from_slice(out);
            if head[4] == callback::SHUTDOWN {
                output.write_all(&replies)?;
                return output.flush();
            }
        }
        output.write_all(&replies)?;
        output.flush()?;
    }
}
