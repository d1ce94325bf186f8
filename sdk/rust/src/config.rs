//! Reads the flat, already validated configuration object without allocating.
//!
//! The host has checked the object against the descriptor; what is looked for here and absent or of another
//! type is `None`. Strings with escapes are not read (configuration words are plain ASCII).

#[derive(Clone, Copy)]
pub struct Config<'a> {
    json: &'a [u8],
}

impl<'a> Config<'a> {
    pub fn new(json: &'a [u8]) -> Self {
        Self { json }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        parse_scaled(self.raw(name)?, 0)
    }

    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.raw(name)? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    pub fn string(&self, name: &str) -> Option<&'a str> {
        let raw = self.raw(name)?;
        let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if inner.contains(&b'\\') {
            return None;
        }
        core::str::from_utf8(inner).ok()
    }

    /// A decimal string such as `"12.50"`, scaled by 10^digits; finer digits than that are refused.
    pub fn decimal(&self, name: &str, digits: u32) -> Option<i64> {
        parse_scaled(self.string(name)?.as_bytes(), digits)
    }

    /// The bytes of a top-level member's value.
    fn raw(&self, name: &str) -> Option<&'a [u8]> {
        let mut at = skip_space(self.json, 0);
        if self.json.get(at) != Some(&b'{') {
            return None;
        }
        at += 1;
        loop {
            at = skip_space(self.json, at);
            let key_end = value_end(self.json, at)?;
            let key = self.json.get(at..key_end)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            at = skip_space(self.json, key_end);
            if self.json.get(at) != Some(&b':') {
                return None;
            }
            at = skip_space(self.json, at + 1);
            let end = value_end(self.json, at)?;
            if key == name.as_bytes() {
                return self.json.get(at..end);
            }
            at = skip_space(self.json, end);
            if self.json.get(at) != Some(&b',') {
                return None;
            }
            at += 1;
        }
    }
}

fn skip_space(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn value_end(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_u32;
    let mut quoted = false;
    loop {
        match (*json.get(at)?, quoted) {
            (b'\\', true) => at += 1,
            (b'"', true) => {
                quoted = false;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (_, true) => {}
            (b'"', false) => quoted = true,
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) if depth == 0 => return Some(at),
            (b'}' | b']', false) => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (b',' | b':' | b' ' | b'\t' | b'\n' | b'\r', false) if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

fn parse_scaled(text: &[u8], digits: u32) -> Option<i64> {
    let (negative, body) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let mut value = 0_i64;
    let mut fraction = 0_u32;
    let mut in_fraction = false;
    if !body.first()?.is_ascii_digit() {
        return None;
    }
    for byte in body {
        match byte {
            b'.' if !in_fraction => in_fraction = true,
            b'0' if in_fraction && fraction == digits => {}
            b'0'..=b'9' if !in_fraction || fraction < digits => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                fraction += u32::from(in_fraction);
            }
            _ => return None,
        }
    }
    for _ in fraction..digits {
        value = value.checked_mul(10)?;
    }
    if value > crate::wire::MAX_INTEGER {
        return None;
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_nothing_else() {
        let config = Config::new(br#"{"a": 12, "n":{"b":1,"s":"}"},"d":"-0.0150","t":true,"s":"limit", "e":"x\"y"}"#);
        assert_eq!(config.integer("a"), Some(12));
        assert_eq!(config.integer("b"), None);
        assert_eq!(config.decimal("d", 4), Some(-150));
        assert_eq!(config.decimal("d", 3), Some(-15));
        assert_eq!(config.decimal("d", 2), None);
        assert_eq!(config.boolean("t"), Some(true));
        assert_eq!(config.string("s"), Some("limit"));
        assert_eq!(config.string("e"), None);
        assert_eq!(config.integer("missing"), None);
        for broken in [&b""[..], b"{", b"[1]", b"{\"a\"", b"{\"a\":", b"{\"a\":1", b"{a:1}", b"{\"a\":\"x"] {
            assert_eq!(Config::new(broken).integer("a"), None);
        }
        assert_eq!(Config::new(b"{\"a\":99999999999999999999}").integer("a"), None);
    }
}
