//! Types that open by themselves, of segments that real programs made.

use super::{leave_and_quit, no_row, row};
use crate::support::{Child, Namespaces, Object, SOON, Terminal, python, shmlens};

/// Makes a list of Python, and a file of numpy beside it, and runs the statements that it reads.
const PROGRAM: &str = r#"
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import ShareableList
import struct, sys
header = b"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }"
with open('/dev/shm/array', 'wb') as file:
    file.write(b'\x93NUMPY\x01\0\x76\0' + header.ljust(117) + b'\n' + struct.pack('<4i', 1, 2, 3, 4))
sl = ShareableList([42, 'hello', None, -1.5], name='list')
resource_tracker.unregister('/list', 'shared_memory')
print('ready', flush=True)
for line in sys.stdin:
    exec(line)
    print('done', flush=True)
"#;

fn producer() -> Option<Child> {
    let mut child = Child::spawn_piped(&mut python(PROGRAM)?);
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

fn run(producer: &mut Child, statement: &str) {
    producer.send(&format!("{statement}\n"));
    assert_eq!(producer.line(SOON), "done");
}

#[test]
fn fields_of_a_list_are_in_the_strip_and_in_inspect() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut producer) = producer() else { return };
    for size in [(80, 24), (140, 45)] {
        run(&mut producer, "sl[0] = 42; sl[3] = -1.5");
        let terminal = Terminal::start(size, shmlens());
        // The array comes first.
        terminal.wait_for(row("data i32[2][2] [[1, 2], [3, 4]]"), SOON);
        terminal.send("j");
        terminal.wait_for(row("[0] i64 42"), SOON);
        terminal.wait_for(row("[3] f64 -1.5"), SOON);
        run(&mut producer, "sl[0] = 43; sl[3] = 7");
        terminal.wait_for(row("[0] i64 43"), SOON);
        terminal.wait_for(row("[3] i64 7"), SOON);
        terminal.send("<Enter>");
        terminal.wait_for("AT 0x0  sharedlist", SOON);
        terminal.wait_for(row("[1] S8 \"hello\""), SOON);
        run(&mut producer, "sl[0] = 'text'");
        terminal.wait_for(row("[0] S8 \"text\""), SOON);
        terminal.send("t<Down><Enter>");
        terminal.wait_for(no_row("[1] S8 \"hello\""), SOON);
        leave_and_quit(terminal);
    }
    producer.close_input();
}

#[test]
fn type_of_the_config_opens_by_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("cam_7", 64, 0o600);
    object.write(8, &7_u32.to_le_bytes());
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("shmlens")).unwrap();
    let layout = "[[layout]]\nname = 'cam_\\d+'\ntype = 'struct Frame { int tick; char name[8]; }@8'\n";
    std::fs::write(home.path().join("shmlens/config.toml"), layout).unwrap();
    let mut command = shmlens();
    command.env("XDG_CONFIG_HOME", home.path());
    let terminal = Terminal::start((140, 45), command);
    terminal.wait_for(row("tick i32 7"), SOON);
    object.write(8, &8_u32.to_le_bytes());
    terminal.wait_for(row("tick i32 8"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for("AT 0x8  tick", SOON);
    terminal.send("t");
    terminal.wait_for("certain: the name matches 'cam_\\d+' in the c", SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("other any type"), SOON);
    leave_and_quit(terminal);
}
