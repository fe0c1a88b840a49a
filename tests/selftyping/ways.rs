//! Points to a segment in several ways, one way an argument.
#![expect(static_mut_refs, reason = "the types of statics are what is tested")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    fn shm_open(name: *const c_char, flags: c_int, mode: u32) -> c_int;
    fn ftruncate(file: c_int, size: i64) -> c_int;
    fn mmap(at: *mut c_void, size: usize, access: c_int, flags: c_int, file: c_int, offset: i64) -> *mut c_void;
}

#[repr(C)]
pub struct Frame {
    tick: u64,
    speed: f64,
    gains: [f32; 3],
    mode: Mode,
    armed: bool,
}

#[repr(i32)]
#[allow(dead_code)]
#[derive(Clone, Copy)]
enum Mode {
    Idle = 0,
    Cruise = 4,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sample {
    id: u32,
    weight: f32,
    mode: Mode,
}

struct App {
    frame: *mut Frame,
}

static ATOMIC: AtomicPtr<Frame> = AtomicPtr::new(std::ptr::null_mut());
static mut APP: App = App { frame: std::ptr::null_mut() };
static mut BOXED: Option<Box<App>> = None;
static mut SLICE: &[Sample] = &[];
static mut REFERENCE: Option<&'static mut Frame> = None;

fn map<T>(name: &str, count: usize) -> *mut T {
    let name = CString::new(name).unwrap();
    let size = count * size_of::<T>();
    unsafe {
        let file = shm_open(name.as_ptr(), 0o102, 0o600);
        assert!(file >= 0 && ftruncate(file, size as i64) == 0);
        let address = mmap(std::ptr::null_mut(), size, 3, 1, file, 0);
        assert!(address as isize != -1);
        address.cast()
    }
}

fn map_frame(name: &str) -> *mut Frame {
    let frame = map::<Frame>(name, 1);
    unsafe { *frame = Frame { tick: 7, speed: 12.5, gains: [0.5, 1.5, 2.5], mode: Mode::Cruise, armed: true } };
    frame
}

fn wait_for_end() {
    println!("ready");
    std::io::stdout().flush().unwrap();
    while std::io::stdin().read(&mut [0]).unwrap() > 0 {}
}

#[inline(never)]
fn local(name: &str) {
    let local: &mut Frame = unsafe { &mut *map_frame(name) };
    wait_for_end();
    local.tick += 1;
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let name = words[1].clone();
    unsafe {
        match words[2].as_str() {
            "atomic" => ATOMIC.store(map_frame(&name), Ordering::Relaxed),
            "member" => APP.frame = map_frame(&name),
            "boxed" => BOXED = Some(Box::new(App { frame: map_frame(&name) })),
            "reference" => REFERENCE = Some(&mut *map_frame(&name)),
            "slice" => {
                let start = map::<Sample>(&name, 12);
                for index in 0..12 {
                    *start.add(index) = Sample { id: 5, weight: 0.5, mode: Mode::Cruise };
                }
                SLICE = std::slice::from_raw_parts(start, 12);
            }
            "local" => local(&name),
            "thread" => {
                let _ = std::thread::spawn(move || local(&name)).join();
                return;
            }
            _ => std::process::exit(2),
        }
        wait_for_end();
        std::hint::black_box((&ATOMIC, &BOXED, &SLICE, &REFERENCE, &APP));
    }
}
