//! The first part of a declaration: its type, and words such as `static` and `typedef`.

use super::attributes::Attributes;
use super::object::{CType, Entity, Object};
use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind};
use crate::decode::{Scalar, Type};

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the declaration")]
pub(super) struct Specifiers {
    pub ty: Option<CType>,
    pub is_typedef: bool,
    pub is_static: bool,
    pub is_extern: bool,
    pub is_constant: bool,
    pub is_virtual: bool,
    pub is_atomic: bool,
    pub attributes: Attributes,
    /// A struct or enumeration was defined or named here: no declarator has to follow.
    pub is_tag: bool,
    /// An anonymous struct, union or enumeration was defined here.
    pub is_anonymous: bool,
}

/// Counts of the words of basic types.
#[derive(Default)]
struct Words {
    signed: u8,
    unsigned: u8,
    short: u8,
    long: u8,
    complex: u8,
    base: Option<&'static str>,
}

/// The words of basic types that stand for themselves.
const BASES: [&str; 19] = [
    "void",
    "char",
    "int",
    "float",
    "double",
    "bool",
    "_Bool",
    "wchar_t",
    "char8_t",
    "char16_t",
    "char32_t",
    "__int128",
    "__int128_t",
    "__uint128_t",
    "_Float16",
    "__float128",
    "_Float128",
    "__time_seconds",
    "_Float64",
];
/// Words that change nothing about the layout.
const IGNORED: [&str; 23] = [
    "const",
    "volatile",
    "register",
    "mutable",
    "inline",
    "__inline",
    "__inline__",
    "restrict",
    "__restrict",
    "__restrict__",
    "__const",
    "__volatile__",
    "__volatile",
    "_Noreturn",
    "explicit",
    "typename",
    "_Thread_local",
    "thread_local",
    "__thread",
    "consteval",
    "constinit",
    "friend",
    "export",
];

impl<'a> Parser<'a> {
    /// Reads specifiers. At least a type has to be there.
    pub fn specifiers(&mut self) -> Result<Specifiers> {
        self.nested(Self::specifiers_here)
    }

    fn specifiers_here(&mut self) -> Result<Specifiers> {
        let mut found = Specifiers::default();
        let mut words = Words::default();
        loop {
            let attributes = self.attributes()?;
            found.attributes.add(attributes);
            let token = self.peek();
            let has_type = found.ty.is_some() || words.any();
            let starts_name = token.is("::") && !has_type;
            if token.kind != TokenKind::Word && !starts_name {
                break;
            }
            if token.is("_Atomic") && self.look(1).is("(") {
                self.next()?;
                found.ty = Some(self.in_parentheses("_Atomic")?);
                found.is_atomic = true;
                continue;
            }
            if self.flag(token, &mut found) || IGNORED.contains(&token.text) {
                self.next()?;
                continue;
            }
            if words.take(token.text, found.ty.is_some()) {
                self.next()?;
                continue;
            }
            if has_type {
                break;
            }
            match token.text {
                "struct" | "class" | "union" => {
                    let (ty, is_anonymous) = self.class(None)?;
                    found.ty = Some(ty);
                    found.is_anonymous = is_anonymous;
                    found.is_tag = true;
                }
                "enum" => {
                    let ty = self.enumeration()?;
                    found.is_anonymous = matches!(ty, CType::Object(_));
                    found.ty = Some(ty);
                    found.is_tag = true;
                }
                "__complex_of" => {
                    self.next()?;
                    found.ty = Some(self.complex_of(token)?);
                }
                // Functions and constants do not need the type.
                "auto" => {
                    self.next()?;
                    found.ty = Some(CType::Void);
                }
                "decltype" | "typeof" | "__typeof__" | "__typeof" => {
                    return Err(Problem::new(
                        &token,
                        format!("'{}' is not supported; write the type", token.text),
                    ));
                }
                _ => found.ty = Some(self.named_type()?),
            }
        }
        if words.any() {
            let token = self.peek();
            found.ty = Some(words.resolve().ok_or_else(|| Problem::new(&token, "these words are no type"))?);
        }
        if found.ty.is_none() {
            return Err(self.expected("a type"));
        }
        self.make_atomic(&mut found)?;
        Ok(found)
    }

    fn flag(&self, token: Token<'_>, found: &mut Specifiers) -> bool {
        match token.text {
            "typedef" => found.is_typedef = true,
            "static" => found.is_static = true,
            "extern" => found.is_extern = true,
            "constexpr" => found.is_constant = true,
            "const" => {
                found.is_constant |= self.is_cpp();
                return false;
            }
            "virtual" => found.is_virtual = true,
            "_Atomic" => found.is_atomic = true,
            _ => return false,
        }
        true
    }

    /// An atomic is aligned to its size.
    fn make_atomic(&self, found: &mut Specifiers) -> Result<()> {
        // `_Atomic void *` is a pointer to an atomic.
        if let (true, Some(ty)) = (found.is_atomic && found.ty != Some(CType::Void), &found.ty) {
            let mut object = self.complete(ty, &self.peek())?;
            let size = object.ty.size();
            if matches!(size, 1 | 2 | 4 | 8 | 16) {
                let align = object.ty.align().max(size);
                object.array_align =
                    object.class.as_ref().filter(|_| !self.is_cpp()).map(|_| object.ty.align());
                object.ty = object.ty.with_align(align);
            }
            object.is_pod &= !self.is_cpp();
            found.ty = Some(CType::Object(object));
        }
        Ok(())
    }

    fn in_parentheses(&mut self, word: &str) -> Result<CType> {
        self.expect("(", &format!("after '{word}'"))?;
        let ty = self.type_name()?;
        self.expect(")", "after the type")?;
        Ok(ty)
    }

    fn complex_of(&mut self, token: Token<'a>) -> Result<CType> {
        let ty = self.in_parentheses("complex")?;
        let object = self.complete(&ty, &token)?;
        let part = object.integer().is_none().then(|| object.ty.size());
        match part {
            Some(4) => Ok(CType::Object(Object::scalar(Scalar::Complex64))),
            Some(8) => Ok(CType::Object(Object::scalar(Scalar::Complex128))),
            _ => Err(Problem::new(&token, "only complex numbers of float and double are supported")),
        }
    }

    /// Reads the name of a declared type.
    fn named_type(&mut self) -> Result<CType> {
        let token = self.peek();
        let start = self.at;
        match self.name()? {
            Some(Entity::Type(ty)) => Ok(ty),
            Some(Entity::Failed(problem)) => Err(problem),
            Some(Entity::Template(template)) => {
                // Inside of the template, its name is the instance.
                Err(Problem::new(
                    &token,
                    format!("expected '<' and arguments after '{}'", shown(&template.name)),
                ))
            }
            Some(Entity::Constant(_) | Entity::Namespace(_)) => {
                Err(Problem::new(&token, format!("'{}' is no type", shown(token.text))))
            }
            None => {
                let name = self.qualified_at(start);
                let has_includes = token.place.file > 1 || self.is_lenient;
                let hint = if keeps_contents_elsewhere(&name) {
                    ": its contents are on the heap, not in shared memory"
                } else if has_includes {
                    " (headers in <…> and those not found are not read)"
                } else {
                    ""
                };
                Err(Problem::new(&token, format!("unknown type '{}'{hint}", shown(&name))))
            }
        }
    }

    /// The text of a name with its scopes.
    pub fn qualified_at(&self, start: usize) -> String {
        let mut name = String::new();
        for pair in self.tokens[start..].windows(2) {
            name.push_str(pair[0].text);
            let goes_on = pair[0].is("::") || pair[1].is("::");
            if !goes_on || pair[1].kind == TokenKind::End {
                break;
            }
        }
        name
    }

    /// Reads a name with its scopes and template arguments: `a::b<int>::c`. `None` if it is unknown.
    pub fn name(&mut self) -> Result<Option<Entity>> {
        let mut scope = self.eat("::")?.then_some(super::parser::GLOBAL);
        if scope.is_some() && self.peek().kind != TokenKind::Word {
            return Err(self.expected("a name after '::'"));
        }
        loop {
            self.eat("template")?;
            let token = self.next()?;
            if token.kind != TokenKind::Word {
                return Err(Problem::new(&token, format!("expected a name, found '{}'", shown(token.text))));
            }
            let found = match scope {
                None => self.find(token.text),
                Some(super::parser::GLOBAL) => {
                    let found = self.find_in(super::parser::GLOBAL, token.text);
                    found.or_else(|| self.find_in(super::parser::STANDARD, token.text))
                }
                Some(scope) => self.find_in(scope, token.text),
            };
            let template = match &found {
                Some(Entity::Template(template)) if self.is("<") => Some(template.clone()),
                // Inside of a template, its name is the instance.
                Some(Entity::Type(_)) if self.is("<") => self.find_template(token.text),
                _ => None,
            };
            let found = match template {
                Some(template) => Some(Entity::Type(self.instance(&template, token)?)),
                None => found,
            };
            let is_scope = self.is("::") && self.look(1).kind == TokenKind::Word;
            scope = match &found {
                Some(Entity::Namespace(scope)) if is_scope => Some(*scope),
                Some(Entity::Type(ty)) if is_scope => match self.complete(ty, &token)?.class {
                    Some(class) => Some(class.scope),
                    None => self.enum_scope(ty),
                },
                _ => return Ok(found),
            };
            if scope.is_none() {
                return Ok(None);
            }
            self.next()?;
        }
    }

    /// Returns true if a type is next, not an expression.
    pub fn starts_type(&mut self) -> bool {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return token.is("::");
        }
        let is_word = matches!(
            token.text,
            "struct"
                | "class"
                | "union"
                | "enum"
                | "signed"
                | "__signed__"
                | "unsigned"
                | "short"
                | "long"
                | "_Complex"
                | "__complex_of"
                | "_Atomic"
                | "const"
                | "volatile"
                | "typename"
        );
        if is_word || BASES.contains(&token.text) {
            return true;
        }
        match self.find(token.text) {
            Some(Entity::Type(_)) => !self.look(1).is("::") || self.names_type(),
            Some(Entity::Template(_)) => {
                // `Ring<4>::Item` may be a type or a constant.
                let start = self.at;
                let found = self.name();
                self.at = start;
                matches!(found, Ok(Some(Entity::Type(_))) | Err(_))
            }
            Some(Entity::Namespace(_)) => self.names_type(),
            _ => false,
        }
    }

    /// Returns true if the last part of the qualified name that is next is a type. Looks only at the
    /// names, so that nothing is read twice.
    fn names_type(&self) -> bool {
        let mut scope = None;
        let mut ahead = 0;
        loop {
            let token = self.look(ahead);
            let found = match scope {
                None => self.find(token.text),
                Some(scope) => self.find_in(scope, token.text),
            };
            if !self.look(ahead + 1).is("::") {
                return matches!(found, Some(Entity::Type(_) | Entity::Template(_)));
            }
            scope = match found {
                Some(Entity::Namespace(scope)) => Some(scope),
                Some(Entity::Type(ty)) => {
                    let class = self.complete(&ty, &token).ok().and_then(|object| object.class);
                    match class.map(|class| class.scope).or_else(|| self.enum_scope(&ty)) {
                        Some(scope) => Some(scope),
                        None => return false,
                    }
                }
                Some(Entity::Template(_)) => return true,
                _ => return false,
            };
            ahead += 2;
        }
    }
}

/// Returns true for types of the standard library that have only a pointer to their contents.
fn keeps_contents_elsewhere(name: &str) -> bool {
    const TYPES: [&str; 24] = [
        "string",
        "wstring",
        "u16string",
        "u32string",
        "basic_string",
        "vector",
        "deque",
        "list",
        "forward_list",
        "map",
        "multimap",
        "set",
        "multiset",
        "unordered_map",
        "unordered_multimap",
        "unordered_set",
        "unordered_multiset",
        "queue",
        "priority_queue",
        "stack",
        "any",
        "function",
        "shared_ptr",
        "valarray",
    ];
    name.trim_start_matches("::").strip_prefix("std::").is_some_and(|name| TYPES.contains(&name))
}

impl Words {
    fn any(&self) -> bool {
        self.base.is_some() || self.signed + self.unsigned + self.short + self.long + self.complex > 0
    }

    /// Counts a word of a basic type. Returns false for other words.
    fn take(&mut self, word: &str, has_type: bool) -> bool {
        if has_type {
            return false;
        }
        let count = match word {
            "signed" | "__signed__" | "__signed" => &mut self.signed,
            "unsigned" => &mut self.unsigned,
            "short" => &mut self.short,
            "long" => &mut self.long,
            "_Complex" | "__complex__" => &mut self.complex,
            _ => {
                let base = BASES.into_iter().find(|base| *base == word);
                let is_new = base.is_some() && self.base.is_none();
                self.base = self.base.or(base);
                return is_new;
            }
        };
        *count = count.saturating_add(1);
        true
    }

    /// Returns the type, or `None` if the words contradict each other.
    fn resolve(&self) -> Option<CType> {
        let is_integer = matches!(self.base, None | Some("int" | "char" | "__int128"));
        let counts = (self.signed, self.unsigned, self.short, self.long);
        if self.signed + self.unsigned > 1 || self.short > 1 || self.long > 2 || self.complex > 1 {
            return None;
        }
        if (self.signed + self.unsigned > 0 && !is_integer) || (self.short > 0 && self.long > 0) {
            return None;
        }
        let is_unsigned = self.unsigned > 0;
        let pick = |signed, unsigned| if is_unsigned { unsigned } else { signed };
        let scalar = match (self.base, counts) {
            (Some("double"), (0, 0, 0, 1)) if self.complex == 0 => Scalar::F80,
            (None | Some("int"), (_, _, 1, 0)) => pick(Scalar::I16, Scalar::U16),
            (None | Some("int"), (_, _, 0, 1 | 2)) => pick(Scalar::I64, Scalar::U64),
            (_, (_, _, short, long)) if short + long > 0 => return None,
            (Some("char"), (0, 0, ..)) => Scalar::Char,
            (Some("char"), _) => pick(Scalar::I8, Scalar::U8),
            (Some("float"), _) if self.complex > 0 => Scalar::Complex64,
            (Some("double"), _) if self.complex > 0 => Scalar::Complex128,
            (None, (0, 0, ..)) => return None,
            _ if self.complex > 0 => return None,
            (Some("__int128"), _) => pick(Scalar::I128, Scalar::U128),
            (None | Some("int"), _) => pick(Scalar::I32, Scalar::U32),
            (Some("void"), _) => return Some(CType::Void),
            (Some("float"), _) => Scalar::F32,
            (Some("double" | "_Float64"), _) => Scalar::F64,
            (Some("bool" | "_Bool"), _) => Scalar::Bool,
            (Some("char8_t"), _) => Scalar::Char8,
            (Some("char16_t"), _) => Scalar::Char16,
            (Some("wchar_t" | "char32_t"), _) => Scalar::Char32,
            (Some("__int128_t"), _) => Scalar::I128,
            (Some("__uint128_t"), _) => Scalar::U128,
            (Some("_Float16"), _) => Scalar::F16,
            (Some("__time_seconds"), _) => Scalar::TimeSeconds,
            // No scalar: the bytes are shown.
            (Some(_), _) => return Some(CType::Object(Object::plain(Type::bytes(16).ok()?.with_align(16)))),
        };
        Some(CType::Object(Object::scalar(scalar)))
    }
}
