//! The first values of a type, which the code prints.

use super::model::{BitField, Member, Model, Part};
use std::fmt::Write as _;

/// Values that the code prints.
const MAX_VALUES: usize = 16;
/// Parts to visit for them.
const MAX_VISITS: usize = 1024;

/// A value, and the way to it.
#[derive(Debug)]
pub struct Leaf<'a> {
    pub steps: Vec<Step<'a>>,
    pub part: &'a Part,
}

#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    Member(&'a Member),
    /// A member whose own members are in the scope of the record around it.
    Anonymous(&'a Member),
    BitField(&'a BitField),
    Index(u64),
}

impl Leaf<'_> {
    /// `points[3].x`; `value` for a type without parts.
    pub fn label(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let name = match step {
                Step::Index(index) => {
                    let _ = write!(text, "[{index}]");
                    continue;
                }
                Step::Anonymous(_) => continue,
                Step::Member(member) => &member.name.text,
                Step::BitField(field) => &field.name.text,
            };
            text.push_str(if text.is_empty() { "" } else { "." });
            text.push_str(name);
        }
        if text.is_empty() { "value".to_owned() } else { text }
    }
}

/// Lists the first values that `is_shown` accepts.
pub fn first_leaves(model: &Model, is_shown: fn(&Model, &Leaf<'_>) -> bool) -> Vec<Leaf<'_>> {
    let mut walk = Walk { model, is_shown, leaves: vec![], visits: 0 };
    walk.visit(&model.root, &mut vec![]);
    walk.leaves
}

struct Walk<'a> {
    model: &'a Model,
    is_shown: fn(&Model, &Leaf<'_>) -> bool,
    leaves: Vec<Leaf<'a>>,
    visits: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, part: &'a Part, steps: &mut Vec<Step<'a>>) {
        self.visits += 1;
        if self.leaves.len() >= MAX_VALUES || self.visits > MAX_VISITS {
            return;
        }
        match part {
            Part::Array(element, count) => {
                for index in 0..(*count).min(MAX_VALUES as u64) {
                    steps.push(Step::Index(index));
                    self.visit(element, steps);
                    steps.pop();
                }
            }
            Part::Record(at) => {
                let record = &self.model.records[*at];
                for (number, member) in record.members.iter().enumerate() {
                    let fields: Vec<&BitField> =
                        record.bit_fields.iter().filter(|field| field.member == number).collect();
                    for field in &fields {
                        steps.push(Step::BitField(field));
                        self.visit(&field.part, steps);
                        steps.pop();
                    }
                    if !fields.is_empty() {
                        continue;
                    }
                    let is_anonymous = match member.part {
                        Part::Record(inner) => self.model.records[inner].is_anonymous,
                        _ => false,
                    };
                    steps.push(if is_anonymous { Step::Anonymous(member) } else { Step::Member(member) });
                    self.visit(&member.part, steps);
                    steps.pop();
                    if self.leaves.len() >= MAX_VALUES {
                        return;
                    }
                }
            }
            _ => {
                let leaf = Leaf { steps: steps.clone(), part };
                if (self.is_shown)(self.model, &leaf) {
                    self.leaves.push(leaf);
                }
            }
        }
    }
}
