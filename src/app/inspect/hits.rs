//! The text about the hits of a search.

use crate::engine::Hits;

/// Returns the count, with the number of the hit at the cursor: `1 of 3 hits`, `1000+ hits`.
pub fn hits_text(hits: &Hits, cursor: u64) -> String {
    let count = hits.offsets.len();
    let plus = if hits.more { "+" } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    match hits.offsets.binary_search(&cursor) {
        Ok(at) => format!("{} of {count}{plus} hit{plural}", at + 1),
        Err(_) => format!("{count}{plus} hit{plural}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_numbers_the_hit_at_the_cursor() {
        let hits = Hits { offsets: vec![5, 50, 500], more: false };
        assert_eq!(hits_text(&hits, 50), "2 of 3 hits");
        assert_eq!(hits_text(&hits, 51), "3 hits");
        assert_eq!(hits_text(&Hits { more: true, ..hits }, 5), "1 of 3+ hits");
        assert_eq!(hits_text(&Hits { offsets: vec![5], more: false }, 5), "1 of 1 hit");
    }
}
