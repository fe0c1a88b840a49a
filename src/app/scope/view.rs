//! The part of the history that is shown, and how.

/// The plots of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlotKind {
    #[default]
    Time,
    /// The selected channel up, the next plotted one across.
    Xy,
    /// The values of the selected channel, counted.
    Histogram,
}

/// The part of the history that the plot shows, and the kind of plot.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub kind: PlotKind,
    /// The length of the visible time, in nanoseconds.
    pub span: u64,
    /// The end of the visible time. `None` follows the newest sample.
    pub end: Option<u64>,
    /// The trigger that is shown.
    pub fired: Option<u64>,
    /// Set while the user looks at the past: triggers do not move it.
    pub is_frozen: bool,
    /// Each trace has a y axis of its own.
    pub own_axes: bool,
    pub cursors: [Option<u64>; 2],
    /// The cursor that keys move.
    pub active: usize,
}

/// The shortest and the longest visible time.
const SPANS: [u64; 2] = [1_000, 30 * 24 * 3600 * 1_000_000_000];
/// The visible time of a new scope.
const DEFAULT_SPAN: u64 = 10_000_000_000;

impl Default for View {
    fn default() -> Self {
        Self {
            kind: PlotKind::Time,
            span: DEFAULT_SPAN,
            end: None,
            fired: None,
            is_frozen: false,
            own_axes: false,
            cursors: [None; 2],
            active: 0,
        }
    }
}

impl View {
    /// The visible times, both included.
    #[must_use]
    pub fn range(&self, newest: u64) -> [u64; 2] {
        let end = self.end.unwrap_or(newest);
        [end.saturating_sub(self.span), end]
    }

    /// Shows the samples around a trigger, unless the view is frozen or still fills after the last one.
    pub fn triggered(&mut self, time: u64, pre: u8) {
        if !self.is_frozen && self.end.is_none_or(|end| end <= time) {
            self.place(time, pre);
        }
    }

    /// Shows the samples around a trigger, and freezes the view there.
    pub fn show_trigger(&mut self, time: u64, pre: u8) {
        self.place(time, pre);
        self.is_frozen = true;
    }

    fn place(&mut self, time: u64, pre: u8) {
        self.end = Some(time.saturating_add(self.part_after(pre)));
        self.fired = Some(time);
    }

    /// The part of the visible time that comes after a trigger.
    #[must_use]
    pub fn part_after(&self, pre: u8) -> u64 {
        self.span / 100 * u64::from(100 - pre.min(100))
    }

    /// Follows the newest sample.
    pub const fn follow(&mut self) {
        (self.is_frozen, self.end, self.fired) = (false, None, None);
    }

    /// Freezes the view at the newest sample, or follows it again.
    pub fn toggle_frozen(&mut self, newest: u64) {
        self.is_frozen = !self.is_frozen;
        if self.is_frozen {
            self.end = self.end.or(Some(newest));
        } else {
            (self.end, self.fired, self.cursors) = (None, None, [None; 2]);
        }
    }

    /// Moves the view by a part of its length, and freezes it.
    pub fn pan(&mut self, tenths: i64, newest: u64) {
        let end = self.end.unwrap_or(newest);
        let step = (self.span / 10).max(1).cast_signed().saturating_mul(tenths);
        self.is_frozen = true;
        self.end = Some(end.saturating_add_signed(step).min(newest));
    }

    /// Shows a shorter or a longer time around a cursor or a trigger, or before the end of the view.
    pub fn zoom(&mut self, is_in: bool, newest: u64) {
        let span = if is_in { self.span / 2 } else { self.span.saturating_mul(2) };
        self.zoom_to(span, newest);
    }

    pub fn zoom_to(&mut self, span: u64, newest: u64) {
        let [from, to] = self.range(newest);
        let anchor = self.cursors[self.active].or(self.fired);
        match anchor.filter(|at| (from..=to).contains(at)) {
            Some(at) => self.zoom_around(span, at, newest),
            None => self.span = span.clamp(SPANS[0], SPANS[1]),
        }
    }

    /// Shows a shorter or a longer time, in which a time keeps its place on the screen.
    pub fn zoom_at(&mut self, is_in: bool, time: u64, newest: u64) {
        let span = if is_in { self.span / 2 } else { self.span.saturating_mul(2) };
        self.zoom_around(span, time, newest);
    }

    /// Shows a time at its place on the screen. The view is frozen unless it still ends at the newest sample,
    /// or shows a trigger.
    fn zoom_around(&mut self, span: u64, time: u64, newest: u64) {
        let [from, to] = self.range(newest);
        let span = span.clamp(SPANS[0], SPANS[1]);
        let after = u128::from(to.saturating_sub(time.clamp(from, to)));
        let after = after * u128::from(span) / u128::from(self.span.max(1));
        let end = u64::try_from(u128::from(time) + after).unwrap_or(u64::MAX);
        self.span = span;
        if end < newest || self.end.is_some() {
            // The samples after a trigger may not be there yet.
            self.end = Some(end.min(newest.max(to)));
            self.is_frozen |= end < newest && self.fired.is_none();
        }
    }

    /// Shows the next kind of plot.
    pub const fn next_kind(&mut self) {
        self.kind = match self.kind {
            PlotKind::Time => PlotKind::Xy,
            PlotKind::Xy => PlotKind::Histogram,
            PlotKind::Histogram => PlotKind::Time,
        };
    }

    /// Sets the cursors at thirds of the view, or removes them.
    pub fn toggle_cursors(&mut self, newest: u64) {
        let [from, to] = self.range(newest);
        let third = (to - from) / 3;
        let is_shown = self.cursors.iter().any(Option::is_some);
        self.cursors = if is_shown { [None; 2] } else { [Some(from + third), Some(to - third)] };
        self.active = 0;
    }
}
