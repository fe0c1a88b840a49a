//! Class and alias templates with types and integers as parameters. Each use reads the template again
//! with its arguments.

use super::object::{Argument, CType, Entity, Parameter, Template};
use super::parser::{Parser, shown};
use super::preprocess::{Problem, Result};
use super::token::{Token, TokenKind};
use std::sync::Arc;

/// Templates within templates.
const MAX_DEPTH: u32 = 24;

impl<'a> Parser<'a> {
    /// Reads a template. Only class and alias templates are kept.
    pub fn template(&mut self) -> Result<()> {
        self.next()?;
        if !self.is("<") {
            // An explicit instantiation.
            return self.skip_declaration();
        }
        let (parameters, mut refusal) = self.parameters()?;
        if parameters.is_empty() && refusal.is_none() {
            return self.specialization();
        }
        let start = self.at;
        let is_alias = self.is("using");
        if !is_alias && !matches!(self.peek().text, "struct" | "class" | "union") {
            return self.skip_declaration();
        }
        self.next()?;
        self.attributes()?;
        let name_at = self.at;
        let name = self.next()?;
        if self.is("<") {
            self.at = start;
            return self.specialization();
        }
        if self.is(";") {
            // Its body comes later.
            self.next()?;
            return Ok(());
        }
        if is_alias {
            self.expect("=", "after the name of the template")?;
        }
        if !is_alias && !self.is("{") && !self.is(":") && !self.is("final") {
            // A function that returns a struct.
            return self.skip_declaration();
        }
        let (start, token) = if is_alias { (self.at, None) } else { (start, Some(name_at)) };
        self.instances.push(vec![]);
        if let Some(Entity::Template(old)) = self.scopes[self.scope].names.get(name.text) {
            refusal =
                refusal.or_else(|| Some(format!("the template '{}' is defined twice", shown(&old.name))));
        }
        let template = Template {
            id: self.instances.len() - 1,
            name: self.qualified(name.text),
            parameters,
            start,
            token,
            scope: self.scope,
            refusal,
        };
        let entity = Entity::Template(Arc::new(template));
        self.scopes[self.scope].names.insert(name.text.to_owned(), entity);
        self.skip_declaration()
    }

    /// A specialization may have other fields: refuse all uses of its template.
    fn specialization(&mut self) -> Result<()> {
        let name = self.look(1);
        if let (true, Some(Entity::Template(template))) =
            (matches!(self.peek().text, "struct" | "class" | "union"), self.find(name.text))
        {
            let message = format!("specializations of templates are not supported: '{}'", shown(name.text));
            self.refusals.insert(template.id, message);
        }
        self.skip_declaration()
    }

    /// Reads the parameters between `<` and `>`, and the reason that they are not supported.
    fn parameters(&mut self) -> Result<(Vec<Parameter>, Option<String>)> {
        self.expect("<", "after 'template'")?;
        let (mut parameters, mut refusal) = (vec![], None);
        while !self.eat(">")? {
            let first = self.peek();
            let is_type = matches!(first.text, "typename" | "class");
            let mut name = None;
            let mut default = None;
            loop {
                let token = self.peek();
                match token.text {
                    "," | ">" => break,
                    "..." => refusal = Some("templates with '...' are not supported".to_owned()),
                    "template" => refusal = Some("templates of templates are not supported".to_owned()),
                    "=" => {
                        self.next()?;
                        default = Some(self.at);
                        self.skip_argument()?;
                        break;
                    }
                    "<" => {
                        self.skip_angles()?;
                        continue;
                    }
                    _ if token.kind == TokenKind::End => {
                        return Err(self.expected("'>' after the parameters"));
                    }
                    _ if token.kind == TokenKind::Word => name = Some(token),
                    "(" | "[" | "{" => {
                        self.skip_brackets()?;
                        continue;
                    }
                    _ => {}
                }
                self.next()?;
            }
            self.eat(",")?;
            let is_named = name.is_some_and(|name| name.place != first.place);
            let name = name.filter(|_| is_named).map_or_else(String::new, |name| name.text.to_owned());
            parameters.push(Parameter { name, is_type, default });
        }
        Ok((parameters, refusal))
    }

    /// Skips a default up to the `,` or `>` after it.
    fn skip_argument(&mut self) -> Result<()> {
        loop {
            let token = self.peek();
            match token.text {
                "," | ">" => return Ok(()),
                "<" => self.skip_angles()?,
                "(" | "[" | "{" => self.skip_brackets()?,
                _ if token.kind == TokenKind::End => return Err(self.expected("'>' after the parameters")),
                _ => drop(self.next()?),
            }
        }
    }

    fn skip_angles(&mut self) -> Result<()> {
        let mut depth = 0_u32;
        loop {
            let token = self.peek();
            match token.text {
                "<" => depth += 1,
                ">" => depth = depth.saturating_sub(1),
                "(" | "[" | "{" => {
                    self.skip_brackets()?;
                    continue;
                }
                ";" | "}" => return Err(self.expected("'>'")),
                _ if token.kind == TokenKind::End => return Err(self.expected("'>'")),
                _ => {}
            }
            self.next()?;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads the arguments of a template and returns its instance.
    pub fn instance(&mut self, template: &Arc<Template>, token: Token<'a>) -> Result<CType> {
        self.nested(|this| this.instance_here(template, token))
    }

    fn instance_here(&mut self, template: &Arc<Template>, token: Token<'a>) -> Result<CType> {
        if let Some(reason) = template.refusal.as_ref().or_else(|| self.refusals.get(&template.id)) {
            return Err(Problem::new(&token, reason.clone()));
        }
        let (mut arguments, text) = self.arguments(template)?;
        let name = format!("{}<{text}>", template.name);
        let scope = self.template_scope(template);
        for (at, parameter) in template.parameters.iter().enumerate() {
            if at >= arguments.len() {
                let Some(start) = parameter.default else {
                    let message = format!(
                        "'{}' needs {} arguments, found {}",
                        shown(&template.name),
                        template.parameters.len(),
                        arguments.len()
                    );
                    return Err(Problem::new(&token, message));
                };
                let argument = self.elsewhere(start, scope, |this| this.argument(parameter.is_type))?;
                arguments.push(argument);
            }
            let entity = match &arguments[at] {
                Argument::Type(ty) => Entity::Type(ty.clone()),
                Argument::Value(value) => Entity::Constant(Some(*value)),
            };
            self.scopes[scope].names.insert(parameter.name.clone(), entity);
        }
        // The library makes it a class without fields, which has the size of one.
        if let [Argument::Type(_), Argument::Value(count)] = arguments.as_slice()
            && count.value == 0
            && template.name.rsplit("::").next() == Some("array")
        {
            return Err(Problem::new(&token, "'std::array' without elements is not supported"));
        }
        let known = self.instances[template.id].iter().find(|(known, _)| *known == arguments);
        if let Some((_, ty)) = known {
            return Ok(ty.clone());
        }
        if self.instance_depth >= MAX_DEPTH {
            return Err(Problem::new(&token, "templates are nested too deeply"));
        }
        if let Some(token) = template.token {
            // The instance may have pointers to itself.
            let token = self.tokens[token];
            let tag = self.inside(scope, |this| Ok(this.tag(token, None)))?;
            self.instances[template.id].push((arguments.clone(), CType::Tag(tag)));
        }
        self.instance_depth += 1;
        let ty = self.elsewhere(template.start, scope, |this| {
            if template.token.is_none() {
                this.type_name()
            } else {
                this.class(Some(&name)).map(|(ty, _)| ty)
            }
        });
        self.instance_depth -= 1;
        let ty = ty?;
        if template.token.is_none() {
            self.instances[template.id].push((arguments, ty.clone()));
        }
        Ok(ty)
    }

    /// The template of a name that stands for its instance here.
    pub fn find_template(&self, name: &str) -> Option<Arc<Template>> {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            if let Some(Entity::Template(template)) = self.scopes[at].names.get(name) {
                return Some(template.clone());
            }
            scope = self.scopes[at].parent;
        }
        None
    }

    /// Opens the scope of the parameters.
    fn template_scope(&mut self, template: &Template) -> usize {
        let outer = std::mem::replace(&mut self.scope, template.scope);
        let scope = self.add_scope("", false);
        self.scope = outer;
        scope
    }

    /// Reads tokens of another place, in another scope.
    fn elsewhere<T>(
        &mut self,
        start: usize,
        scope: usize,
        part: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let at = std::mem::replace(&mut self.at, start);
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, false);
        let result = self.inside(scope, part);
        self.is_in_arguments = was_in_arguments;
        self.at = at;
        result
    }

    /// Reads arguments and their text, from `<` through `>`.
    fn arguments(&mut self, template: &Template) -> Result<(Vec<Argument>, String)> {
        self.expect("<", "before the arguments")?;
        let mut arguments = vec![];
        let mut texts = vec![];
        while !self.is(">") {
            let Some(parameter) = template.parameters.get(arguments.len()) else {
                return Err(self.expected("'>' after the last argument"));
            };
            let start = self.at;
            arguments.push(self.argument(parameter.is_type)?);
            let words: Vec<&str> = self.tokens[start..self.at].iter().map(|token| token.text).collect();
            texts.push(words.join(" ").replace(" :: ", "::").replace(" *", "*").replace(" <", "<"));
            if !self.eat(",")? {
                break;
            }
        }
        self.expect(">", "after the arguments")?;
        Ok((arguments, texts.join(", ")))
    }

    fn argument(&mut self, is_type: bool) -> Result<Argument> {
        let was_in_arguments = std::mem::replace(&mut self.is_in_arguments, true);
        let argument =
            if is_type { self.type_name().map(Argument::Type) } else { self.constant().map(Argument::Value) };
        self.is_in_arguments = was_in_arguments;
        argument
    }
}
