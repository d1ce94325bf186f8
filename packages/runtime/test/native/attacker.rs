//! A native strategy that tries what its first trade's price names, and says as telemetry how it went: 1 it could, 0 it could not.
use rumi_sdk::{native, Body, Config, Context, Event, Refusal, RestoredState, Strategy};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, fs, net, thread, time};

struct Attacker;

impl Strategy for Attacker {
    const STATE_VERSION: u32 = 1;

    fn init(_context: &mut Context, _config: Config<'_>, _restored: Option<RestoredState<'_>>) -> Result<Self, Refusal> {
        Ok(Attacker)
    }

    fn on_event(&mut self, context: &mut Context, event: &Event<'_>) -> Result<(), Refusal> {
        let (price, quantity) = match event.body {
            Body::Trade(trade) => (trade.price, trade.quantity as u16),
            _ => return Ok(()),
        };
        let could = match price {
            1 => loop {
                std::hint::spin_loop();
            },
            2 => {
                let mut held: Vec<Vec<u8>> = Vec::new();
                let mut megabytes = 0;
                while megabytes < 4096 {
                    let mut one = Vec::new();
                    if one.try_reserve_exact(1 << 20).is_err() {
                        break;
                    }
                    one.resize(1 << 20, 1);
                    held.push(one);
                    megabytes += 1;
                }
                context.telemetry("megabytes", f64::from(megabytes));
                megabytes == 4096
            }
            3 => (0..50).any(|_| Command::new("/usr/bin/id").spawn().is_ok()),
            4 => net::TcpStream::connect(("127.0.0.1", quantity)).is_ok() || net::UdpSocket::bind("127.0.0.1:0").is_ok(),
            5 => UnixStream::connect("/tmp/socket").is_ok() || UnixStream::pair().is_ok(),
            6 => ["/etc/passwd", "/proc/1/environ", "/proc/self/environ", "/root/.profile", "/sys/kernel/notes"].iter().any(|path| match fs::read(path) {
                // A container has a /proc of its own, in which it finds itself and nothing else.
                Ok(found) => !path.starts_with("/proc") || String::from_utf8_lossy(&found).contains("planted"),
                Err(_) => false,
            }),
            7 => fs::write("/usr/written", "x").is_ok() || fs::write(env::current_exe().unwrap_or_default(), "x").is_ok(),
            8 => thread::Builder::new().spawn(|| thread::sleep(time::Duration::from_millis(10))).is_ok(),
            9 => panic!("as I like"),
            10 => env::vars().any(|(name, _)| name != "PYTHONHASHSEED" && name != "PWD" && name != "HOME"),
            // Itself again, or another program: the jail around stays as it is, and the host sees a process that broke the rules.
            11 => {
                let _ = Command::new("/usr/bin/id").exec();
                false
            }
            12 => {
                for _ in 0..100_000 {
                    eprintln!("{}", "x".repeat(1000));
                }
                false
            }
            13 => {
                print!("junk into the pipe");
                std::io::Write::flush(&mut std::io::stdout()).is_ok()
            }
            14 => {
                let zeros = vec![0_u8; 1 << 20];
                (0..64).all(|i| fs::write(format!("/tmp/{}", i), &zeros).is_ok())
            }
            _ => return Ok(()),
        };
        context.telemetry("could", f64::from(u8::from(could)));
        Ok(())
    }

    fn save_state(&self, _out: &mut [u8]) -> Option<usize> {
        Some(0)
    }
}

fn main() {
    native::serve::<Attacker>().ok();
}
