//! The part of an array that the plot shows, and the cursors on it.

/// The part of an array that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArrayView {
    /// The first and the last visible element. `None` for all.
    range: Option<[usize; 2]>,
    pub cursors: [Option<usize>; 2],
    /// The cursor that keys move.
    pub active: usize,
}

/// Elements that are shown at least.
const MIN_SHOWN: usize = 4;
/// Steps of a cursor across the view.
const CURSOR_STEPS: usize = 100;

impl ArrayView {
    /// The first and the last visible element of `count`.
    #[must_use]
    pub fn range(&self, count: usize) -> [usize; 2] {
        let last = count.saturating_sub(1);
        self.range.map_or([0, last], |[from, to]| [from.min(last), to.min(last)])
    }

    /// Shows fewer or more elements around one: the active cursor if it is visible, or the middle.
    pub fn zoom(&mut self, is_in: bool, count: usize) {
        let [from, to] = self.range(count);
        let visible = self.cursors[self.active].filter(|at| (from..=to).contains(at));
        self.zoom_at(is_in, visible.unwrap_or(from.midpoint(to)), count);
    }

    /// Shows fewer or more elements. The one at `at` keeps its place on the screen.
    pub fn zoom_at(&mut self, is_in: bool, at: usize, count: usize) {
        let [from, to] = self.range(count);
        let length = to - from + 1;
        let wanted = if is_in { length / 2 } else { length.saturating_mul(2) };
        let wanted = wanted.max(MIN_SHOWN.min(count));
        let before = at.clamp(from, to) - from;
        // At most a million elements.
        let start = at.saturating_sub(before * wanted / length.max(1));
        self.show(start, wanted, count);
    }

    /// Moves the view by tenths of its length.
    pub fn pan(&mut self, tenths: isize, count: usize) {
        let [from, to] = self.range(count);
        let length = to - from + 1;
        let step = length.cast_signed().saturating_mul(tenths) / 10;
        let step = if step == 0 { tenths.signum() } else { step };
        self.show(from.saturating_add_signed(step), length, count);
    }

    /// Shows the first elements, as many as now.
    pub fn first(&mut self, count: usize) {
        let [from, to] = self.range(count);
        self.show(0, to - from + 1, count);
    }

    /// Shows the last elements, as many as now.
    pub fn last(&mut self, count: usize) {
        let [from, to] = self.range(count);
        self.show(count, to - from + 1, count);
    }

    fn show(&mut self, start: usize, length: usize, count: usize) {
        let start = start.min(count.saturating_sub(length));
        self.range = (length < count).then(|| [start, start + length - 1]);
    }

    /// Moves the active cursor, or the view if there is no cursor.
    pub fn sideways(&mut self, by: isize, count: usize) {
        let [from, to] = self.range(count);
        let step = ((to - from) / CURSOR_STEPS).max(1).cast_signed();
        match &mut self.cursors[self.active] {
            Some(at) => *at = at.saturating_add_signed(step * by).clamp(from, to),
            None => self.pan(by, count),
        }
    }

    /// Sets the cursors at thirds of the view, or removes them.
    pub fn toggle_cursors(&mut self, count: usize) {
        let [from, to] = self.range(count);
        let third = (to - from) / 3;
        let is_shown = self.cursors.iter().any(Option::is_some);
        self.cursors = if is_shown { [None; 2] } else { [Some(from + third), Some(to - third)] };
        self.active = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zoom_keeps_an_element_in_its_place() {
        let mut view = ArrayView::default();
        view.zoom_at(true, 300, 1000);
        assert_eq!(view.range(1000), [150, 649]);
        view.zoom_at(true, 300, 1000);
        assert_eq!(view.range(1000), [225, 474]);
        view.cursors[0] = Some(474);
        view.zoom(true, 1000);
        assert_eq!(view.range(1000), [350, 474]);
        (0..10).for_each(|_| view.zoom(true, 1000));
        assert_eq!(view.range(1000), [471, 474]);
        (0..20).for_each(|_| view.zoom(false, 1000));
        assert_eq!(view, ArrayView { cursors: [Some(474), None], ..ArrayView::default() });
    }

    #[test]
    fn view_moves_up_to_the_ends() {
        let mut view = ArrayView::default();
        view.pan(1, 100);
        assert_eq!(view.range(100), [0, 99]);
        view.zoom(true, 100);
        view.last(100);
        assert_eq!(view.range(100), [50, 99]);
        view.pan(-1, 100);
        view.sideways(-1, 100);
        assert_eq!(view.range(100), [40, 89]);
        view.first(100);
        view.toggle_cursors(100);
        view.sideways(1, 100);
        assert_eq!((view.range(100), view.cursors), ([0, 49], [Some(17), Some(33)]));
        view.toggle_cursors(100);
        assert_eq!(view.cursors, [None; 2]);
    }

    proptest! {
        #[test]
        fn view_is_inside(count in 1_usize..3000, steps in prop::collection::vec((0_u8..8, 0_usize..3000), 0..40)) {
            let mut view = ArrayView::default();
            for (step, at) in steps {
                match step {
                    0 => view.zoom(true, count),
                    1 => view.zoom(false, count),
                    2 => view.zoom_at(at % 2 == 0, at, count),
                    3 => view.pan(at.cast_signed() - 1500, count),
                    4 => view.first(count),
                    5 => view.last(count),
                    6 => view.toggle_cursors(count),
                    _ => view.sideways(1, count),
                }
                let [from, to] = view.range(count);
                prop_assert!(from <= to && to < count, "{from} {to} {count}");
                prop_assert!(to - from + 1 >= MIN_SHOWN.min(count));
                prop_assert!(view.cursors.into_iter().flatten().all(|at| at < count));
            }
        }
    }
}
