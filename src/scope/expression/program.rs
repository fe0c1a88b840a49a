//! Expressions that are ready to run.

use super::arithmetic::Arithmetic;
use super::memory::Memory;
use super::samples::Samples;
use crate::scope::Grade;

/// An expression, with the memory of its functions.
#[derive(Debug, Clone)]
pub struct Program {
    /// Each uses only those before it.
    steps: Vec<Step>,
    result: Formula,
    /// Results that were not finite.
    undefined: u64,
}

/// A function that remembers samples.
#[derive(Debug, Clone)]
pub struct Step {
    pub memory: Memory,
    pub argument: Formula,
}

/// Arithmetic on channels and on the results of steps.
#[derive(Debug, Clone)]
pub struct Formula {
    arithmetic: Arithmetic,
    inputs: Vec<Input>,
    /// The formula is its input.
    is_plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// By index.
    Channel(usize),
    /// By index.
    Step(usize),
}

impl Program {
    pub const fn new(steps: Vec<Step>, result: Formula) -> Self {
        Self { steps, result, undefined: 0 }
    }

    /// Computes the samples at these times, which follow those of the last call. Only the samples of
    /// [`Program::channels`] have to be there.
    pub fn run(&mut self, times: &[u64], channels: &[Samples]) -> Samples {
        let mut done: Vec<Samples> = Vec::with_capacity(self.steps.len());
        for step in &mut self.steps {
            let argument = step.argument.run(times.len(), &done, channels, &mut self.undefined);
            done.push(step.memory.apply(times, &argument));
        }
        self.result.run(times.len(), &done, channels, &mut self.undefined)
    }

    /// The channels that it refers to.
    pub fn channels(&self) -> impl Iterator<Item = usize> {
        let formulas = self.steps.iter().map(|step| &step.argument).chain([&self.result]);
        formulas.flat_map(|formula| &formula.inputs).filter_map(|input| match input {
            Input::Channel(index) => Some(*index),
            Input::Step(_) => None,
        })
    }

    /// The results that were not finite so far, though no input was missing.
    pub const fn undefined(&self) -> u64 {
        self.undefined
    }
}

impl Formula {
    pub fn new(arithmetic: Arithmetic, inputs: Vec<Input>, is_plain: bool) -> Self {
        Self { arithmetic, inputs, is_plain }
    }

    fn run(&self, rows: usize, steps: &[Samples], channels: &[Samples], undefined: &mut u64) -> Samples {
        let inputs: Vec<&Samples> = self
            .inputs
            .iter()
            .map(|input| match input {
                Input::Channel(index) => &channels[*index],
                Input::Step(index) => &steps[*index],
            })
            .collect();
        if let ([only], true) = (inputs.as_slice(), self.is_plain) {
            return finite((*only).clone(), undefined);
        }
        let mut breaks: Vec<usize> = inputs.iter().flat_map(|input| input.breaks.iter().copied()).collect();
        breaks.sort_unstable();
        breaks.dedup();
        let mut out = Samples { breaks, ..Samples::default() };
        let mut values = vec![0.0; inputs.len()];
        for row in 0..rows {
            let mut grade = Grade::Verified;
            for (value, input) in values.iter_mut().zip(&inputs) {
                *value = input.values.get(row).copied().unwrap_or(f64::NAN);
                grade = grade.min(input.grades.get(row).copied().unwrap_or(Grade::Missing));
            }
            if grade == Grade::Missing {
                out.push(None);
                continue;
            }
            let value = self.arithmetic.evaluate(&values);
            *undefined += u64::from(!value.is_finite());
            out.push(value.is_finite().then_some((value, grade)));
        }
        out
    }
}

/// Marks numbers that are not finite as missing.
fn finite(mut samples: Samples, undefined: &mut u64) -> Samples {
    for (value, grade) in samples.values.iter().zip(&mut samples.grades) {
        if !value.is_finite() && *grade != Grade::Missing {
            *undefined += 1;
            *grade = Grade::Missing;
        }
    }
    samples
}
