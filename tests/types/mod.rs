//! Types against the compilers and interpreters that make them.

mod gcc;
mod generator;
mod layouts;
