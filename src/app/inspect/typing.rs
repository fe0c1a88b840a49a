//! The type that Inspect shows: one that the user chose, or the certain one of those that fit.

use super::{Inspect, Tree};
use crate::app::event::Size;
use crate::decode::layouts::{Built, Layout};
use crate::decode::{PlacedType, Scalar, TypeKind};
use crate::identify::typing::Candidate;
use crate::segment::ShownError;

/// The origin of the type that is shown, or of its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// A certain type opens by itself.
    Evidence,
    User,
}

/// A layout that the contents determine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLayout {
    pub layout: Layout,
    /// The reason why the contents do not have it any more.
    pub unfit: Option<String>,
}

impl Inspect {
    /// Shows the values of a type at its offset. The rows show the scalars of an array.
    pub fn show_type(&mut self, typed: PlacedType, size: Size) {
        let mut ty = &typed.ty;
        while let TypeKind::Array(array) = ty.kind() {
            ty = &array.element;
        }
        self.shown_as = match *ty.kind() {
            TypeKind::Scalar(scalar, order) if Scalar::BASIC.contains(&scalar) => {
                self.order = order;
                Some(scalar)
            }
            _ => None,
        };
        let offset = typed.offset;
        (self.layout, self.trial) = (None, None);
        self.tree = Tree::new(&typed, self.size());
        self.typed = Some(typed);
        self.jump(offset.unwrap_or(self.cursor), size);
        self.read_counts();
    }

    /// Shows the bytes, or scalars of one type.
    pub fn show_as(&mut self, shown_as: Option<Scalar>, size: Size) {
        self.shown_as = shown_as;
        self.typed = None;
        self.tree = None;
        (self.layout, self.trial) = (None, None);
        self.go_to(self.cursor, size);
    }

    /// Shows the type that the contents have in a layout.
    pub fn show_layout(&mut self, layout: Layout, built: Built, size: Size) {
        self.show_type(PlacedType { ty: built.ty, offset: Some(0) }, size);
        self.layout = Some(ShownLayout { layout, unfit: None });
    }

    /// Shows a type that fits.
    pub fn show_candidate(&mut self, candidate: &Candidate, size: Size) {
        self.show_type(candidate.placed(), size);
        self.layout = candidate.layout.map(|layout| ShownLayout { layout, unfit: None });
    }

    /// Takes the types that fit. The first answer opens the best one if that is certain, unless the
    /// user has chosen another; a later one would move what the user looks at.
    pub fn set_types(&mut self, types: Vec<Candidate>, size: Size) {
        let is_open = self.types.is_some()
            || self.chosen == ChosenBy::User
            || self.typed.is_some()
            || self.trial.is_some();
        if let Some(best) = types.first().filter(|best| best.certain && !is_open) {
            let (cursor, top) = (self.cursor, self.top);
            self.show_candidate(best, size);
            // The user may have moved already.
            if (cursor, top) != (0, 0) {
                self.go_to(cursor, size);
            }
        }
        self.types = Some(types);
    }

    /// The candidate that is shown.
    pub fn shown_candidate(&self) -> Option<usize> {
        let layout = self.layout.as_ref().map(|shown| shown.layout);
        self.types.iter().flatten().position(|found| match layout {
            Some(_) => found.layout == layout,
            None => self.typed.as_ref().is_some_and(|typed| *typed == found.placed()),
        })
    }

    /// The type that is shown, unless the contents do not have it any more.
    pub fn shown_type(&self) -> Option<&PlacedType> {
        self.typed.as_ref().filter(|_| self.unfit().is_none())
    }

    /// The layout to check with every look. A frozen view keeps its type.
    pub(super) fn watched_layout(&self) -> Option<Layout> {
        let shown = self.layout.as_ref().map(|shown| shown.layout);
        self.trial.or(shown).filter(|_| self.frozen.is_none())
    }

    /// Takes the type that the contents have now.
    pub fn set_built(&mut self, layout: Layout, built: Result<Built, ShownError>, size: Size) {
        let Some(shown) = self.layout.as_mut().filter(|shown| shown.layout == layout) else { return };
        let ty = match built {
            Ok(built) => built.ty,
            Err(error) => {
                shown.unfit = Some(error.to_string());
                return;
            }
        };
        shown.unfit = None;
        let Some(typed) = &mut self.typed else { return };
        if typed.ty == ty {
            return;
        }
        typed.ty = ty;
        match &mut self.tree {
            Some(tree) => {
                tree.replace_type(&typed.ty);
                tree.followed = Some(self.cursor);
            }
            None => self.tree = Tree::new(typed, self.presence.size()),
        }
        self.scroll_to_cursor(size);
        self.read_counts();
    }

    /// Drops the values of pins and fields, which are those of another time.
    pub fn forget_samples(&mut self) {
        self.pins.forget_samples();
        if let Some(tree) = &mut self.tree {
            tree.forget_samples();
        }
    }

    /// The reason why the contents do not have the shown layout any more.
    pub fn unfit(&self) -> Option<&str> {
        self.layout.as_ref()?.unfit.as_deref()
    }
}
