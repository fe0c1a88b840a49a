//! Structs, classes and unions.

use super::attributes::Attributes;
use super::declarator::Declarator;
use super::layout::{Definition, Member, lay_out};
use super::number::Integer;
use super::object::{CType, Entity, Object, TagState};
use super::parser::{Parser, shown, too_large};
use super::preprocess::{Problem, Result};
use super::specifiers::Specifiers;
use super::token::{Token, TokenKind};
use crate::decode::{RecordKind, Type, TypeKind};
use std::collections::HashSet;

/// The widest bit-field of C++, as far as gcc takes it.
const MAX_BITS: i128 = 1 << 31;

/// A class whose members are being read.
struct Body<'a> {
    definition: Definition,
    name: Option<Token<'a>>,
    /// The members are private or protected here.
    is_hidden: bool,
    names: HashSet<String>,
}

impl<'a> Parser<'a> {
    /// Reads a struct, class or union from its keyword on. `instance` is the name of the instance of
    /// a template. Returns true as well if it is anonymous.
    pub fn class(&mut self, instance: Option<&str>) -> Result<(CType, bool)> {
        self.nested(|this| this.class_here(instance))
    }

    fn class_here(&mut self, instance: Option<&str>) -> Result<(CType, bool)> {
        let keyword = self.next()?;
        let mut attributes = self.attributes()?;
        let mut name = None;
        if self.peek().kind == TokenKind::Word && !(self.is("final") && self.look(1).is("{")) {
            name = Some(self.next()?);
            if self.is("<") || self.is("::") {
                return self.class_reference(name).map(|ty| (ty, false));
            }
        }
        attributes.add(self.attributes()?);
        if self.is("final") {
            self.next()?;
        }
        let is_defined = self.is("{") || (self.is(":") && self.is_cpp());
        let Some(token) = name else {
            if !self.is("{") {
                return Err(self.expected(&format!("a name or '{{' after '{}'", keyword.text)));
            }
            let scope = self.add_scope("", true);
            let object = self.body(keyword, None, "", scope, attributes)?;
            return Ok((CType::Object(object), true));
        };
        if !is_defined {
            return Ok((self.declared_class(token)?, false));
        }
        let tag = self.tag(token, None);
        match &self.tags[tag].state {
            TagState::Complete(_) | TagState::Open => {
                return Err(Problem::new(&token, format!("'{}' is defined twice", shown(token.text))));
            }
            TagState::Failed(_) | TagState::Declared => self.tags[tag].state = TagState::Open,
        }
        if let Some(instance) = instance {
            instance.clone_into(&mut self.tags[tag].name);
        }
        let shown_name = self.tags[tag].name.clone();
        let scope = self.add_scope(token.text, true);
        let state = match self.body(keyword, Some(token), &shown_name, scope, attributes) {
            Ok(object) => TagState::Complete(object),
            Err(problem) => {
                self.tags[tag].state = TagState::Failed(problem.clone());
                return Err(problem);
            }
        };
        self.tags[tag].state = state;
        Ok((CType::Tag(tag), false))
    }

    /// A class that is only named: `struct Node`.
    fn declared_class(&mut self, name: Token<'a>) -> Result<CType> {
        // A declaration of its own declares a new name in this scope.
        let is_declaration = self.is(";");
        match self.find_tag(name.text).filter(|_| !is_declaration) {
            Some(Entity::Type(ty)) => Ok(ty),
            Some(Entity::Failed(problem)) => Err(problem),
            _ => Ok(CType::Tag(self.tag(name, None))),
        }
    }

    /// A class with template arguments or in a scope: `struct ns::Ring<4>`.
    fn class_reference(&mut self, name: Option<Token<'a>>) -> Result<CType> {
        self.at -= 1;
        let start = self.at;
        let token = name.unwrap_or_else(|| self.peek());
        let found = self.name()?;
        if self.is("{") || self.is(":") {
            return Err(Problem::new(
                &token,
                "classes that are defined outside of their scope are not supported",
            ));
        }
        match found {
            Some(Entity::Type(ty)) => Ok(ty),
            Some(Entity::Failed(problem)) => Err(problem),
            _ => {
                let name = self.qualified_at(start);
                Err(Problem::new(&token, format!("unknown type '{}'", shown(&name))))
            }
        }
    }

    fn body(
        &mut self,
        keyword: Token<'a>,
        name: Option<Token<'a>>,
        shown_name: &str,
        scope: usize,
        mut attributes: Attributes,
    ) -> Result<Object> {
        let kind = match keyword.text {
            "class" => RecordKind::Class,
            "union" => RecordKind::Union,
            _ => RecordKind::Struct,
        };
        let bases = if self.eat(":")? { self.bases(scope)? } else { vec![] };
        self.expect("{", "before the fields")?;
        self.class_count += 1;
        let definition = Definition {
            kind,
            name: shown_name.to_owned(),
            is_cpp: self.is_cpp(),
            bases,
            members: vec![],
            is_packed: false,
            pack: None,
            align: None,
            has_virtual: false,
            is_special: false,
            id: self.class_count,
            scope,
        };
        let is_hidden = kind == RecordKind::Class;
        let mut body = Body { definition, name, is_hidden, names: HashSet::new() };
        let end = self.inside(scope, |this| {
            loop {
                let token = this.peek();
                if token.kind == TokenKind::End {
                    return Err(this.expected("'}' after the fields"));
                }
                if this.eat("}")? {
                    return Ok(token);
                }
                this.member(&mut body)?;
            }
        })?;
        attributes.add(self.attributes()?);
        let mut definition = body.definition;
        definition.is_packed = attributes.is_packed;
        definition.align = attributes.align;
        definition.pack = (end.pack > 0).then(|| end.pack.into());
        lay_out(definition).map_err(too_large(keyword))
    }

    fn bases(&mut self, scope: usize) -> Result<Vec<(String, Object)>> {
        let mut bases: Vec<(String, Object)> = vec![];
        loop {
            let start = self.peek();
            self.attributes()?;
            while matches!(self.peek().text, "public" | "private" | "protected" | "virtual" | "typename") {
                let word = self.next()?;
                if word.is("virtual") {
                    return Err(Problem::new(&word, "virtual base classes are not supported"));
                }
            }
            let token = self.peek();
            let ty = self.specifiers()?.ty.unwrap_or(CType::Void);
            let object = self.complete(&ty, &token)?;
            match &object.class {
                Some(class) if matches!(object.ty.kind(), TypeKind::Record(_)) => {
                    let class_scope = class.scope;
                    self.scopes[scope].used.push(class_scope);
                }
                _ => return Err(Problem::new(&start, "a base class must be a struct or class")),
            }
            if bases.iter().any(|(_, known)| *known == object) {
                return Err(Problem::new(&token, "a base class is named twice"));
            }
            bases.push((self.name_of(&ty), object));
            if !self.eat(",")? {
                return Ok(bases);
            }
        }
    }

    fn member(&mut self, body: &mut Body<'a>) -> Result<()> {
        let token = self.peek();
        if self.eat(";")? {
            return Ok(());
        }
        match token.text {
            "public" | "private" | "protected" if self.look(1).is(":") || self.look(2).is(":") => {
                body.is_hidden = token.text != "public";
                while !self.eat(":")? {
                    self.next()?;
                }
                return Ok(());
            }
            "static_assert" | "_Static_assert" | "friend" => return self.skip_declaration(),
            "using" => {
                let (start, name, is_alias) = (self.at, self.look(1), self.look(2).is("="));
                return self.using().or_else(|problem| {
                    if !is_alias {
                        return Err(problem);
                    }
                    self.at = start;
                    self.skip_declaration()?;
                    self.declare(name, Entity::Failed(problem))
                });
            }
            "template" => {
                let start = self.at;
                self.template()?;
                body.definition.is_special |=
                    is_constructor_template(&self.tokens[start..self.at], body.name);
                return Ok(());
            }
            _ => {}
        }
        if self.is_constructor(body) {
            self.has_cpp = true;
            return self.constructor(body);
        }
        let start = self.at;
        let specifiers = match self.specifiers() {
            Ok(specifiers) => specifiers,
            Err(problem) => {
                self.at = start;
                return self.skip_without_fields(body).ok_or(problem)?;
            }
        };
        if specifiers.is_virtual {
            body.definition.has_virtual = true;
        }
        let base = specifiers.ty.clone().unwrap_or(CType::Void);
        if self.is(";") {
            self.next()?;
            // In C and C++, only a struct or union without a name has its fields here.
            let object = self.complete(&base, &token).ok().filter(|object| object.class.is_some());
            if let Some(object) = object.filter(|_| specifiers.is_anonymous && !specifiers.is_typedef) {
                return self.add(body, token, "", object, None, &specifiers.attributes);
            }
            return Ok(());
        }
        loop {
            if self.is(":") {
                self.bit_field(body, &base, None, &specifiers)?;
            } else {
                let start = self.at;
                let declarator = self.declarator(&base)?;
                self.refuse_macro(start)?;
                if declarator.ty == CType::Function && !specifiers.is_typedef {
                    self.has_cpp = true;
                    return self.member_function(body, &declarator);
                }
                self.field(body, &specifiers, declarator)?;
            }
            if !self.eat(",")? {
                self.expect(";", "after the field")?;
                return Ok(());
            }
        }
    }

    /// Refuses a declarator that only looks like a function: `int ARRAY(x, 4);` declares whatever the
    /// macro makes of it.
    fn refuse_macro(&self, start: usize) -> Result<()> {
        let tokens = &self.tokens[start..self.at];
        let Some(at) = tokens.windows(2).position(|two| two[0].kind == TokenKind::Word && two[1].is("("))
        else {
            return Ok(());
        };
        let name = &tokens[at];
        let (mut depth, mut has_number) = (0, false);
        for three in tokens[at + 1..].windows(3) {
            match three[0].text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            has_number |= depth == 1
                && matches!(three[0].text, "(" | ",")
                && three[1].kind == TokenKind::Number
                && matches!(three[2].text, "," | ")");
        }
        let is_array =
            tokens.windows(3).any(|three| three[0].is(")") && three[1].is("[") && !three[2].is("["));
        if is_macro_name(name.text) || has_number || is_array {
            return Err(Problem::new(name, format!("unknown macro '{}'", name.text)));
        }
        Ok(())
    }

    /// Skips a declaration with an unknown type that takes no space: a function, a static member or
    /// a `typedef`. `None` for a field.
    fn skip_without_fields(&mut self, body: &mut Body<'a>) -> Option<Result<()>> {
        let (mut angles, mut ahead, mut is_virtual) = (0_i32, 0, false);
        // A macro that declares something.
        if self.look(1).is("(") {
            return None;
        }
        let takes_no_space = loop {
            let token = self.look(ahead);
            match token.text {
                "static" | "typedef" => break true,
                "virtual" => is_virtual = true,
                "<" => angles += 1,
                ">" => angles -= 1,
                ">>" => angles -= 2,
                "__attribute__" | "alignas" | "decltype" | "__declspec" => return None,
                // `(*name)` is a pointer.
                "(" if ahead > 0 && is_macro_name(self.look(ahead - 1).text) => return None,
                "(" if angles <= 0 => break !matches!(self.look(ahead + 1).text, "*" | "&" | "&&" | "^"),
                ";" | "{" | "}" | "=" | "" => break false,
                _ => {}
            }
            ahead += 1;
        };
        takes_no_space.then(|| {
            body.definition.has_virtual |= is_virtual;
            self.skip_declaration()
        })
    }

    fn field(
        &mut self,
        body: &mut Body<'a>,
        specifiers: &Specifiers,
        declarator: Declarator<'a>,
    ) -> Result<()> {
        let Declarator { name, ty, attributes: own, .. } = declarator;
        let Some(name) = name else { return Err(self.expected("the name of the field")) };
        let mut attributes = specifiers.attributes;
        attributes.add(own);
        if specifiers.is_typedef {
            let ty = self.realigned(ty, attributes.align, &name)?;
            let ty = if specifiers.is_anonymous { self.renamed(ty, &name) } else { ty };
            return self.declare(name, Entity::Type(ty));
        }
        if specifiers.is_static {
            self.has_cpp = true;
            let value = if self.is("=") || self.is("{") { self.initializer()? } else { None };
            return self.declare(name, Entity::Constant(value));
        }
        if self.is(":") {
            return self.bit_field(body, &ty, Some(name), specifiers);
        }
        if self.is("=") || self.is("{") {
            self.has_cpp = true;
            body.definition.is_special = true;
            self.skip_initializer()?;
        }
        let object = self.complete(&ty, &name)?;
        let scope = self.scope;
        self.scopes[scope].objects.insert(name.text.to_owned(), object.clone());
        self.add(body, name, name.text, object, None, &attributes)
    }

    fn bit_field(
        &mut self,
        body: &mut Body<'a>,
        ty: &CType,
        name: Option<Token<'a>>,
        specifiers: &Specifiers,
    ) -> Result<()> {
        let colon = self.next()?;
        let token = name.unwrap_or(colon);
        let object = self.complete(ty, &token)?;
        let Some(scalar) = object.integer() else {
            return Err(Problem::new(&token, "a bit-field must be an integer, a bool or an enumeration"));
        };
        let place = self.peek();
        let width = self.constant()?.value;
        let most = match scalar {
            // The rest of the bits is padding.
            _ if self.is_cpp() => MAX_BITS,
            crate::decode::Scalar::Bool => 1,
            scalar => 8 * scalar.size() as i128,
        };
        if width < 0 || width > most || (width == 0 && name.is_some()) {
            return Err(Problem::new(&place, format!("invalid width {width}: expected at most {most} bits")));
        }
        let mut attributes = specifiers.attributes;
        attributes.add(self.attributes()?);
        if self.is("=") || self.is("{") {
            body.definition.is_special = true;
            self.skip_initializer()?;
        }
        let width = u64::try_from(width).unwrap_or(0);
        self.add(body, token, name.map_or("", |name| name.text), object, Some(width), &attributes)
    }

    fn add(
        &self,
        body: &mut Body<'a>,
        token: Token<'a>,
        name: &str,
        object: Object,
        width: Option<u64>,
        attributes: &Attributes,
    ) -> Result<()> {
        // The fields of an anonymous struct are those of this one. A bit-field without a name has none.
        let mut names = vec![name.to_owned()];
        if name.is_empty() && width.is_none() {
            add_names(&object.ty, &mut names);
        }
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            if !body.names.insert(name.clone()) {
                return Err(Problem::new(&token, format!("the field '{}' is declared twice", shown(&name))));
            }
        }
        body.definition.is_special |= body.is_hidden && !name.is_empty();
        body.definition.members.push(Member {
            name: name.to_owned(),
            object,
            width,
            align: attributes.align,
            is_packed: attributes.is_packed,
            may_overlap: attributes.may_overlap && self.is_cpp(),
        });
        Ok(())
    }

    /// Returns true if a constructor or destructor of the class is next.
    fn is_constructor(&self, body: &Body<'a>) -> bool {
        let Some(name) = body.name else { return false };
        let mut ahead = 0;
        while matches!(self.look(ahead).text, "explicit" | "constexpr" | "inline" | "virtual" | "consteval") {
            ahead += 1;
            if self.look(ahead).is("(") && self.look(ahead - 1).is("explicit") {
                return false;
            }
        }
        let token = self.look(ahead);
        (token.is("~") && self.look(ahead + 1).text == name.text)
            || (token.text == name.text && self.look(ahead + 1).is("("))
            || token.is("operator")
    }

    fn constructor(&mut self, body: &mut Body<'a>) -> Result<()> {
        while matches!(self.peek().text, "explicit" | "constexpr" | "inline" | "virtual" | "consteval") {
            body.definition.has_virtual |= self.next()?.is("virtual");
        }
        if !self.is("operator") {
            self.eat("~")?;
            self.next()?;
            self.skip_brackets()?;
            body.definition.is_special |= !self.is_defaulted();
        }
        self.skip_function()
    }

    /// Skips a function. One that assigns copies is like a constructor.
    fn member_function(&mut self, body: &mut Body<'a>, declarator: &Declarator<'a>) -> Result<()> {
        let name = body.name.map_or("", |name| name.text);
        let is_assignment = declarator.assignment.is_some_and(|at| {
            let mut parameter = self.tokens[at..].iter().filter(|token| !token.is("const"));
            let is_own = parameter.next().is_some_and(|token| token.text == name);
            is_own && parameter.next().is_some_and(|token| !token.is("&&"))
        });
        body.definition.is_special |= is_assignment && !self.is_defaulted();
        self.skip_function()
    }

    /// Returns true if `= default` or `= delete` is next.
    fn is_defaulted(&self) -> bool {
        let mut ahead = 0;
        while !matches!(self.look(ahead).text, "=" | "{" | ";" | ":" | "") && ahead < 16 {
            ahead += 1;
        }
        self.look(ahead).is("=") && matches!(self.look(ahead + 1).text, "default" | "delete")
    }

    /// Skips the rest of a function: its body with the initializers of a constructor, or `;`.
    fn skip_function(&mut self) -> Result<()> {
        loop {
            let token = self.peek();
            match token.text {
                ":" => {
                    self.next()?;
                    // `a(1), b{2}` and then the body.
                    loop {
                        while !matches!(self.peek().text, "(" | "{" | ";" | "}" | "") {
                            self.next()?;
                        }
                        if !matches!(self.peek().text, "(" | "{") {
                            break;
                        }
                        self.skip_brackets()?;
                        self.eat("...")?;
                        if !self.eat(",")? {
                            break;
                        }
                    }
                }
                "{" => {
                    self.skip_brackets()?;
                    self.eat(";")?;
                    return Ok(());
                }
                ";" => return self.next().map(drop),
                "(" | "[" => self.skip_brackets()?,
                "}" => return Ok(()),
                _ if token.kind == TokenKind::End => return Ok(()),
                _ => drop(self.next()?),
            }
        }
    }

    /// Reads the value of a constant. `None` if it is no integer.
    pub fn initializer(&mut self) -> Result<Option<Integer>> {
        let start = self.at;
        let has_braces = !self.eat("=")? && self.eat("{")?;
        let value = self.value();
        if has_braces && value.is_ok() {
            self.eat("}")?;
        }
        if let (Ok(value), ";" | ",") = (value, self.peek().text) {
            return Ok(value);
        }
        // A constant of another type is an error only where it is used.
        self.at = start;
        self.skip_initializer()?;
        Ok(None)
    }

    /// Skips an initializer up to the `,` or `;` after it.
    pub fn skip_initializer(&mut self) -> Result<()> {
        loop {
            let token = self.peek();
            match token.text {
                "," | ";" | "}" => return Ok(()),
                "(" | "[" | "{" => self.skip_brackets()?,
                _ if token.kind == TokenKind::End => return Ok(()),
                _ => drop(self.next()?),
            }
        }
    }
}

/// Returns true if a template is a constructor: `template <class T> explicit Name(T)`.
/// Adds the names of the fields of an anonymous struct, and of those inside of it.
fn add_names(ty: &Type, names: &mut Vec<String>) {
    let TypeKind::Record(record) = ty.kind() else { return };
    for field in record.fields() {
        if field.name.is_empty() {
            add_names(&field.ty, names);
        } else {
            names.push(field.name.to_string());
        }
    }
}

/// Returns true for the name of a macro, as they are usually written: `ARRAY_OF`.
fn is_macro_name(name: &str) -> bool {
    name.len() > 1
        && name.chars().any(|c| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn is_constructor_template(tokens: &[Token<'_>], name: Option<Token<'_>>) -> bool {
    let is_name = |token: &Token<'_>| name.is_some_and(|name| name.text == token.text);
    tokens.windows(3).any(|three| {
        let is_first = three[0].is(">") || matches!(three[0].text, "explicit" | "constexpr" | "inline");
        is_first && is_name(&three[1]) && three[2].is("(")
    })
}
