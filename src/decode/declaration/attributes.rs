//! Attributes and alignment: `__attribute__((packed, aligned(8)))`, `alignas(8)`,
//! `[[no_unique_address]]`.

use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub is_packed: bool,
    pub align: Option<u64>,
    pub may_overlap: bool,
}

/// The alignment of `aligned` without a number.
const BIGGEST: u64 = 16;
/// The largest alignment that gcc accepts.
const MAX_ALIGN: i128 = 1 << 28;

impl Attributes {
    pub fn add(&mut self, other: Self) {
        self.is_packed |= other.is_packed;
        self.may_overlap |= other.may_overlap;
        self.add_align(other.align);
    }

    fn add_align(&mut self, align: Option<u64>) {
        self.align = self.align.max(align);
    }
}

impl Parser<'_> {
    /// Reads all attributes at this place.
    pub fn attributes(&mut self) -> Result<Attributes> {
        let mut found = Attributes::default();
        loop {
            let token = self.peek();
            match token.text {
                "__attribute__" | "__attribute" if token.kind == TokenKind::Word => {
                    self.next()?;
                    self.expect("(", "after '__attribute__'")?;
                    self.expect("(", "after '__attribute__('")?;
                    self.attribute_list(&mut found)?;
                    self.expect(")", "after the attributes")?;
                    self.expect(")", "after the attributes")?;
                }
                "alignas" | "_Alignas" if token.kind == TokenKind::Word => {
                    self.next()?;
                    self.expect("(", "after 'alignas'")?;
                    let align = self.alignment()?;
                    found.add_align(align);
                    self.expect(")", "after the alignment")?;
                }
                "[" if self.look(1).is("[") && self.look(1).is_glued => {
                    self.next()?;
                    self.next()?;
                    self.attribute_list(&mut found)?;
                    self.expect("]", "after the attributes")?;
                    self.expect("]", "after the attributes")?;
                }
                "asm" | "__asm__" if token.kind == TokenKind::Word && self.look(1).is("(") => {
                    self.next()?;
                    self.skip_brackets()?;
                }
                "__declspec" if token.kind == TokenKind::Word => {
                    return Err(Problem::new(&token, "'__declspec' is not supported"));
                }
                _ => return Ok(found),
            }
        }
    }

    /// Reads attributes up to the bracket that closes them.
    fn attribute_list(&mut self, found: &mut Attributes) -> Result<()> {
        loop {
            let token = self.peek();
            if token.is(")") || token.is("]") {
                return Ok(());
            }
            let token = self.next()?;
            match token.text {
                "packed" | "__packed__" => found.is_packed = true,
                "no_unique_address" => {
                    self.has_cpp = true;
                    found.may_overlap = true;
                }
                "aligned" | "__aligned__" => {
                    let align = if self.eat("(")? {
                        let align = self.alignment()?;
                        self.expect(")", "after the alignment")?;
                        align
                    } else {
                        Some(BIGGEST)
                    };
                    found.add_align(align);
                }
                "vector_size"
                | "__vector_size__"
                | "mode"
                | "__mode__"
                | "ms_struct"
                | "__ms_struct__"
                | "scalar_storage_order"
                | "hardbool" => {
                    let message = format!("the attribute '{}' is not supported", shown(token.text));
                    return Err(Problem::new(&token, message));
                }
                _ if token.kind == TokenKind::End => {
                    return Err(Problem::new(&token, "expected the end of the attributes, found the end"));
                }
                _ if self.is("(") => self.skip_brackets()?,
                _ => {}
            }
        }
    }

    /// Reads a type or a number of bytes. `None` for 0, which has no effect.
    fn alignment(&mut self) -> Result<Option<u64>> {
        let token = self.peek();
        if self.starts_type() {
            let ty = self.type_name()?;
            return Ok(Some(self.complete(&ty, &token)?.ty.align()));
        }
        let value = self.constant()?.value;
        match u64::try_from(value) {
            Ok(0) => Ok(None),
            Ok(align) if align.is_power_of_two() && value <= MAX_ALIGN => Ok(Some(align)),
            _ => Err(alignment_error(&token, value)),
        }
    }
}

fn alignment_error(token: &Token<'_>, value: i128) -> Problem {
    Problem::new(token, format!("invalid alignment {value}: expected a power of two up to {MAX_ALIGN}"))
}
