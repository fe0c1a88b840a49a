//! Selection, paging and scrolling of tables, lists and text.

use super::action::Action;
use std::ops::Range;

/// The selected item of a list, or the first visible line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct List {
    /// The index of the selected item. An index past the end selects the last item.
    pub selected: usize,
}

impl List {
    /// Applies an action to a list of `count` items with `page` items per page. Returns true if the
    /// action moves the selection.
    pub fn act(&mut self, action: Action, count: usize, page: usize) -> bool {
        let Some(by) = step(action, page) else { return false };
        self.step(by, count);
        true
    }

    /// Moves the selection and stops at the ends.
    pub fn step(&mut self, by: isize, count: usize) {
        let last = count.saturating_sub(1);
        self.selected = self.selected.min(last).saturating_add_signed(by).min(last);
    }
}

/// Returns the distance that an action moves, or `None` for other actions.
pub fn step(action: Action, page: usize) -> Option<isize> {
    let page = isize::try_from(page).unwrap_or(isize::MAX).max(1);
    let half = (page / 2).max(1);
    Some(match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown | Action::Scroll => page,
        Action::HalfUp => -half,
        Action::HalfDown => half,
        Action::First => isize::MIN,
        Action::Last => isize::MAX,
        _ => return None,
    })
}

/// Returns the first of `total` rows to show in `height` rows: as close to `top` as possible, with
/// the selected rows visible and no empty rows at the end.
pub fn first_visible(top: usize, selected: &Range<usize>, total: usize, height: usize) -> usize {
    let lowest = selected.end.saturating_sub(height).min(selected.start);
    top.clamp(lowest, selected.start).min(total.saturating_sub(height))
}

/// Like [`first_visible`], but centers the selected rows.
pub fn centered(selected: &Range<usize>, total: usize, height: usize) -> usize {
    let above = (height / 2).min(height.saturating_sub(selected.len()));
    first_visible(selected.start.saturating_sub(above), selected, total, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_stops_at_the_ends() {
        let mut list = List { selected: usize::MAX };
        for (action, selected) in [
            (Action::Up, 8),
            (Action::First, 0),
            (Action::Up, 0),
            (Action::PageDown, 4),
            (Action::HalfDown, 6),
            (Action::Scroll, 9),
            (Action::Down, 9),
            (Action::PageUp, 5),
            (Action::HalfUp, 3),
            (Action::Last, 9),
        ] {
            assert!(list.act(action, 10, 4));
            assert_eq!(list.selected, selected, "{action:?}");
        }
        assert!(!list.act(Action::Quit, 10, 4));
        list.step(1, 0);
        assert_eq!(list.selected, 0);
    }

    #[test]
    fn scrolling_keeps_the_selection_visible_with_minimal_movement() {
        let mut top = 0;
        for (row, height, first) in
            [(0, 10, 0), (9, 10, 0), (10, 10, 1), (99, 10, 90), (50, 10, 50), (55, 10, 50), (3, 200, 0)]
        {
            top = first_visible(top, &(row..row + 1), 100, height);
            assert_eq!(top, first, "row {row} of {height}");
        }
        assert_eq!(centered(&(50..51), 100, 10), 45);
        assert_eq!(centered(&(98..100), 100, 10), 90);
        // If the selection is taller than the view, show its start.
        assert_eq!(centered(&(20..40), 100, 10), 20);
        assert_eq!(centered(&(0..0), 0, 0), 0);
    }
}
