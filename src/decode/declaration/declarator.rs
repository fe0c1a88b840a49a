//! The second part of a declaration: pointers, a name, and arrays.

use super::attributes::Attributes;
use super::object::{CType, Object};
use super::parser::{Parser, too_large};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind, TokenPlace};
use crate::decode::{Enum, Record, Type, TypeKind};

#[derive(Debug)]
pub(super) struct Declarator<'a> {
    pub name: Option<Token<'a>>,
    pub ty: CType,
    pub attributes: Attributes,
    /// The name of an operator, a destructor, or of a member that is defined outside of its class.
    pub is_special: bool,
    /// The index of the first token of the parameter of an assignment operator.
    pub assignment: Option<usize>,
}

/// A part of a declarator, from its name outward.
#[derive(Debug)]
enum Part {
    Pointer,
    Reference,
    /// A pointer to a member.
    Member(TokenPlace),
    /// `None` for `[]`.
    Array(Option<u64>, TokenPlace),
    Function,
}

#[derive(Debug, Default)]
struct Parts<'a> {
    name: Option<Token<'a>>,
    is_special: bool,
    assignment: Option<usize>,
    list: Vec<Part>,
}

/// Dimensions and pointers of one declarator.
const MAX_PARTS: usize = 64;

impl<'a> Parser<'a> {
    /// Reads a declarator for a type. The name may be missing.
    pub fn declarator(&mut self, base: &CType) -> Result<Declarator<'a>> {
        let start = self.peek();
        let Parts { name, is_special, assignment, list: parts } = self.parts()?;
        if parts.len() > MAX_PARTS {
            return Err(Problem::new(&start, "too many dimensions"));
        }
        let mut ty = base.clone();
        for part in parts.into_iter().rev() {
            ty = self.apply(&part, &ty, &start)?;
        }
        let attributes = self.attributes()?;
        Ok(Declarator { name, ty, attributes, is_special, assignment })
    }

    /// Reads a type without a name: `const char *[4]`.
    pub fn type_name(&mut self) -> Result<CType> {
        let specifiers = self.specifiers()?;
        let ty = specifiers.ty.unwrap_or(CType::Void);
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, false);
        let found = self.declarator(&ty);
        self.is_in_arguments = was_in_arguments;
        let found = found?;
        match found.name {
            Some(name) => Err(Problem::new(&name, "expected a type without a name")),
            None => Ok(found.ty),
        }
    }

    fn apply(&self, part: &Part, ty: &CType, token: &Token<'a>) -> Result<CType> {
        let object = match part {
            Part::Function => return Ok(CType::Function),
            Part::Pointer => Object::pointer(&self.name_of(ty)),
            // Like a pointer, but a class with one is no POD.
            Part::Reference => Object { is_pod: false, ..Object::pointer(&self.name_of(ty)) },
            Part::Member(place) => {
                let at = Token { place: *place, ..*token };
                let size = if *ty == CType::Function { 16 } else { 8 };
                Object::plain(Type::bytes(size).map_err(too_large(at))?.with_align(8))
            }
            Part::Array(count, place) => {
                let at = Token { place: *place, ..*token };
                let mut element = self.complete(ty, &at)?;
                if let Some(align) = element.array_align {
                    element.ty = element.ty.with_align(align);
                }
                if element.ty.align() > element.ty.size() && element.ty.size() > 0 {
                    return Err(Problem::new(&at, "the elements are aligned to more than their size"));
                }
                let (is_pod, class) = (element.is_pod, element.class);
                let ty = Type::array(element.ty, count.unwrap_or(0)).map_err(too_large(at))?;
                Object { ty, is_pod, class, array_align: None }
            }
        };
        Ok(CType::Object(object))
    }

    fn parts(&mut self) -> Result<Parts<'a>> {
        self.nested(Self::parts_here)
    }

    fn parts_here(&mut self) -> Result<Parts<'a>> {
        let mut pointers = vec![];
        loop {
            let token = self.peek();
            match token.text {
                "*" => pointers.push(Part::Pointer),
                "&" | "&&" => {
                    self.has_cpp = true;
                    pointers.push(Part::Reference);
                }
                "const" | "volatile" | "restrict" | "__restrict" | "__restrict__" | "_Atomic"
                | "__volatile__"
                    if !pointers.is_empty() => {}
                _ if self.is_member_pointer() => {
                    while !self.is("*") {
                        self.next()?;
                    }
                    pointers.push(Part::Member(token.place));
                }
                "__attribute__" if !pointers.is_empty() => {
                    self.attributes()?;
                    continue;
                }
                _ => break,
            }
            self.next()?;
        }
        let mut found = self.direct()?;
        self.suffixes(&mut found.list)?;
        pointers.reverse();
        found.list.append(&mut pointers);
        Ok(found)
    }

    /// `Class::*`
    fn is_member_pointer(&self) -> bool {
        let mut ahead = 0;
        while self.look(ahead).kind == TokenKind::Word && self.look(ahead + 1).is("::") {
            ahead += 2;
        }
        ahead > 0 && self.look(ahead).is("*")
    }

    /// Reads the name, or a declarator in parentheses.
    fn direct(&mut self) -> Result<Parts<'a>> {
        let attributes = self.look(0);
        if attributes.is("(") {
            let inner = self.look(1);
            let is_declarator = matches!(inner.text, "*" | "&" | "&&" | "(" | "__attribute__")
                || (inner.kind == TokenKind::Word && self.look(2).is("::") && self.look(3).is("*"))
                || (inner.kind == TokenKind::Word && self.look(2).is(")") && self.find(inner.text).is_none());
            if is_declarator && inner.kind != TokenKind::End {
                self.next()?;
                self.attributes()?;
                let found = self.parts()?;
                self.expect(")", "after the declarator")?;
                return Ok(found);
            }
            return Ok(Parts::default());
        }
        let mut found = Parts::default();
        if self.eat("~")? {
            found.is_special = true;
        }
        while self.peek().kind == TokenKind::Word && !self.is("__attribute__") {
            let token = self.next()?;
            found.name = Some(token);
            if token.text == "operator" {
                found.is_special = true;
                found.assignment = (self.is("=") && self.look(1).is("(")).then_some(self.at + 2);
                self.operator()?;
                break;
            }
            if !(self.is("::") && (self.look(1).kind == TokenKind::Word || self.look(1).is("~"))) {
                break;
            }
            found.is_special = true;
            self.next()?;
            self.eat("~")?;
        }
        Ok(found)
    }

    /// Skips the symbol or type of an operator, up to its parameters.
    fn operator(&mut self) -> Result<()> {
        if self.is("(") {
            return self.skip_brackets();
        }
        while !self.is("(") {
            let token = self.next()?;
            if token.kind == TokenKind::End || token.is(";") {
                return Err(Problem::new(&token, "expected '(' after the operator"));
            }
        }
        Ok(())
    }

    fn suffixes(&mut self, parts: &mut Vec<Part>) -> Result<()> {
        loop {
            let token = self.peek();
            if token.is("[") && !(self.look(1).is("[") && self.look(1).is_glued) {
                self.next()?;
                while self.is("static") || self.is("const") {
                    self.next()?;
                }
                let count = if self.is("]") { None } else { Some(self.dimension()?) };
                self.expect("]", "after the array size")?;
                parts.push(Part::Array(count, token.place));
            } else if token.is("(") {
                self.skip_brackets()?;
                parts.push(Part::Function);
                while matches!(
                    self.peek().text,
                    "const" | "volatile" | "noexcept" | "&" | "&&" | "override" | "final"
                ) {
                    self.next()?;
                    if self.is("(") {
                        self.skip_brackets()?;
                    }
                }
            } else {
                return Ok(());
            }
            if parts.len() > MAX_PARTS {
                return Err(Problem::new(&token, "too many dimensions"));
            }
        }
    }

    /// Reads the size of an array.
    fn dimension(&mut self) -> Result<u64> {
        let token = self.peek();
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, false);
        let value = self.constant();
        self.is_in_arguments = was_in_arguments;
        let value = value?.value;
        u64::try_from(value).map_err(|_| Problem::new(&token, format!("the array size {value} is negative")))
    }

    /// Applies an alignment to a type: to a typedef exactly, which may lower it.
    pub fn realigned(&self, ty: CType, align: Option<u64>, token: &Token<'a>) -> Result<CType> {
        let Some(align) = align else { return Ok(ty) };
        let mut object = self.complete(&ty, token)?;
        object.ty = object.ty.with_align(align);
        Ok(CType::Object(object))
    }

    /// Gives an anonymous struct, union or enumeration the name of its typedef.
    pub fn renamed(&self, ty: CType, name: &Token<'a>) -> CType {
        let CType::Object(mut object) = ty else { return ty };
        let (size, align) = (object.ty.size(), object.ty.align());
        let name = self.qualified(name.text);
        let renamed = match object.ty.kind() {
            TypeKind::Record(record) if record.name().is_empty() => {
                Type::record(Record::new(record.kind(), name, record.fields().to_vec()), size, align).ok()
            }
            TypeKind::Enum(found) if found.name().is_empty() => {
                let enumerators = found.enumerators().to_vec();
                let renamed = Enum::new(name, found.underlying(), found.order(), enumerators);
                Some(Type::enumeration(renamed.with_scope(found.is_scoped())).with_align(align))
            }
            _ => None,
        };
        object.ty = renamed.unwrap_or(object.ty);
        CType::Object(object)
    }
}
