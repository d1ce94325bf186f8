//! Reproducible chance: xoshiro128** on the run's seed; the same numbers as the Python SDK draws.

#[derive(Clone, Copy)]
pub struct Random {
    state: [u32; 4],
}

impl Random {
    pub const fn empty() -> Self {
        Self { state: [0; 4] }
    }

    pub fn new(seed: &[u8; 16]) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(4)) {
            *word = bytes.iter().rev().fold(0, |value, byte| (value << 8) | u32::from(*byte));
        }
        if state == [0; 4] {
            state = [1, 0, 0, 0];
        }
        Self { state }
    }

    pub fn next_u32(&mut self) -> u32 {
        let [s0, s1, s2, s3] = self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (s2 ^ s0, s3 ^ s1);
        self.state = [s0 ^ d, s1 ^ c, c ^ (s1 << 9), d.rotate_left(11)];
        result
    }

    /// Uniform in [0, bound); 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        let rest = (u32::MAX % bound + 1) % bound;
        loop {
            let value = self.next_u32();
            if value <= u32::MAX - rest {
                return value % bound;
            }
        }
    }

    /// The four words, so that a checkpoint can carry them.
    pub fn state(&self) -> [u32; 4] {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_the_python_sdk_draws() {
        let mut random = Random::new(&core::array::from_fn(|i| i as u8));
        assert_eq!([(); 4].map(|()| random.next_u32()), [124836505, 3156578125, 2270891520, 2401556266]);
        assert!((0..1_000).all(|_| random.below(7) < 7));
    }
}
