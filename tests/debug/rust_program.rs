//! A program that prints the truth about its types, as `program.cpp` does.

use std::cell::{Cell, UnsafeCell};
use std::mem::{MaybeUninit, offset_of, size_of};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

mod app {
    use super::*;
    #[repr(C)]
    pub struct Frame {
        pub tick: AtomicU64,
        pub flags: [u8; 3],
        pub ready: AtomicBool,
        pub pair: (u16, f64),
        pub mode: Mode,
        pub samples: [[f32; 3]; 2],
        pub letter: char,
        pub large: u128,
        pub cell: Cell<i16>,
        pub nested: Option<NonZeroU32>,
        pub shape: Shape,
        pub text: &'static str,
        pub raw: MaybeUninit<u32>,
        pub shared: UnsafeCell<i32>,
        pub next: Option<&'static Frame>,
        pub unit: (),
    }
    #[derive(Clone, Copy)]
    #[repr(i8)]
    pub enum Mode {
        Off = -3,
        Idle,
        On = 7,
    }
    #[allow(dead_code)]
    pub enum Shape {
        Empty,
        Circle(f64),
        Rectangle { width: u32, height: u32 },
    }
    pub struct Unordered {
        pub a: u8,
        pub b: u64,
        pub c: u16,
    }
    #[derive(Default)]
    pub struct Ring<T, const N: usize> {
        pub head: AtomicU32,
        pub items: [T; 2],
    }
    #[repr(C)]
    pub union Either {
        pub float: f32,
        pub bytes: [u8; 4],
    }
    pub static COUNTER: AtomicU32 = AtomicU32::new(5);
    pub static FRAMES: AtomicPtr<Frame> = AtomicPtr::new(std::ptr::null_mut());
    pub static RING: Ring<i32, 4> = Ring { head: AtomicU32::new(0), items: [1, 2] };
    pub static SLICE: &[Unordered] = &[Unordered { a: 1, b: 2, c: 3 }];
    pub static OPTION: Option<&Unordered> = None;
    pub static EITHER: Either = Either { float: 1.0 };
}
use app::*;

macro_rules! field {
    ($name:literal, $ty:ty, $size:ty, $($path:tt)+) => {
        println!("F|{}|{}|{}|{}", $name, stringify!($($path)+).replace(' ', ""), offset_of!($ty, $($path)+), size_of::<$size>())
    };
}

#[inline(never)]
fn print() {
    let ring: Ring<i32, 4> = Ring::default();
    std::hint::black_box(&ring);
    println!("T|rust_program::app::Frame|{}\nT|Frame|{}", size_of::<Frame>(), size_of::<Frame>());
    println!("T|app::Ring<i32, 4>|{}\nT|Unordered|{}", size_of::<Ring<i32, 4>>(), size_of::<Unordered>());
    println!("T|Shape|{}\nT|Mode|{}\nT|app::Either|{}", size_of::<Shape>(), size_of::<Mode>(), size_of::<Either>());
    field!("Frame", Frame, u64, tick);
    field!("Frame", Frame, [u8; 3], flags);
    field!("Frame", Frame, bool, ready);
    field!("Frame", Frame, (u16, f64), pair);
    field!("Frame", Frame, Mode, mode);
    field!("Frame", Frame, [[f32; 3]; 2], samples);
    field!("Frame", Frame, char, letter);
    field!("Frame", Frame, u128, large);
    field!("Frame", Frame, i16, cell);
    field!("Frame", Frame, Shape, shape);
    field!("Frame", Frame, &str, text);
    field!("Frame", Frame, i32, shared);
    field!("Unordered", Unordered, u8, a);
    field!("Unordered", Unordered, u64, b);
    field!("Unordered", Unordered, u16, c);
    field!("Ring<i32, 4>", Ring<i32, 4>, [i32; 2], items);
    println!("V|rust_program::app::COUNTER|{:#x}", &raw const COUNTER as usize - base());
    println!("V|rust_program::app::FRAMES|{:#x}", &raw const FRAMES as usize - base());
    println!("P|rust_program::app::FRAMES||0|rust_program::app::Frame");
    println!("P|rust_program::app::SLICE||0|rust_program::app::Unordered");
    println!("P|rust_program::app::OPTION|Some.__0|0|rust_program::app::Unordered");
    println!("N|rust_program::print|{:#x}", print as *const () as usize - base());
}

/// The address of the program, which starts with its header.
fn base() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    usize::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap()
}

fn main() {
    COUNTER.fetch_add(1, Ordering::Relaxed);
    std::hint::black_box((SLICE, OPTION, &EITHER, &RING, Mode::Off as i8 + Mode::Idle as i8 + Mode::On as i8));
    std::hint::black_box::<Option<Box<Frame>>>(None);
    print();
}
