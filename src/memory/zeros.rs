//! Finds nonzero bytes quickly.

/// Bytes per step: a few vector registers.
const BLOCK_SIZE: usize = 64;

/// Returns the offset of the first nonzero byte.
pub fn first_nonzero(bytes: &[u8]) -> Option<usize> {
    let block = bytes.chunks(BLOCK_SIZE).position(|block| !block_is_zero(block))?;
    let start = block * BLOCK_SIZE;
    bytes[start..].iter().position(|&byte| byte != 0).map(|at| start + at)
}

/// Returns the offset of the last nonzero byte.
pub fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    let blocks = bytes.rchunks(BLOCK_SIZE);
    let zeros: usize = blocks.take_while(|block| block_is_zero(block)).map(<[u8]>::len).sum();
    bytes[..bytes.len() - zeros].iter().rposition(|&byte| byte != 0)
}

/// No early exit, so that the compiler can vectorize it.
fn block_is_zero(block: &[u8]) -> bool {
    block.iter().fold(0, |all, byte| all | byte) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn search_agrees_with_a_naive_one(before in 0usize..200, middle in proptest::collection::vec(any::<u8>(), 0..9), after in 0usize..200) {
            let bytes = [vec![0; before], middle, vec![0; after]].concat();
            let first = bytes.iter().position(|&byte| byte != 0);
            prop_assert_eq!(first_nonzero(&bytes), first);
            prop_assert_eq!(last_nonzero(&bytes), bytes.iter().rposition(|&byte| byte != 0));
        }
    }
}
