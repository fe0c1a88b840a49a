//! Snapshots of every screen and overlay on the fake machine, in several sizes and themes, with
//! styles.

mod scope;

use crate::support::{Acts, Harness};
use shmlens::app::event::Event;
use shmlens::decode::Scalar;
use shmlens::engine::{Body, Undo, WorkProgress};
use shmlens::machine::Machine as _;
use shmlens::machine::fake::{FakeBytes, FakeMachine, FakeWrite};
use shmlens::machine::image::{Thread, ThreadActivity};
use shmlens::segment::{Access, ObjectName};
use shmlens::tui::theme::{Depth, Name, Theme};

/// Returns a machine with a segment for each appearance.
fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    let mut list = vec![];
    for number in 0u64..64 {
        list.extend_from_slice(&(number * number).to_le_bytes());
    }
    list[16..21].copy_from_slice(b"hello");
    list[32..40].copy_from_slice(&3.5f64.to_le_bytes());
    machine.add_object("psm_1f09ab2c", FakeBytes::full(&list));
    let mut camera = FakeBytes::hole(24 << 20);
    camera.write(1 << 20, &[0x80; 100]);
    camera.write(20 << 20, &[7; 100]);
    machine.add_object("camera0", camera);
    machine.add_object("a-very-long-name-that-does-not-fit-into-any-column_77", FakeBytes::hole(100));
    machine.add_object("カメラ", FakeBytes::full(b"\xff\x00\n\x1b"));
    machine.add_object("sparse", FakeBytes::hole(4 << 40));
    machine.edit(|facts| {
        let odd = ObjectName::new(b"odd\x1b[2J\xff\n").unwrap();
        let plain = facts.posix[&ObjectName::new(b"camera0").unwrap()].clone();
        facts.posix.insert(odd, plain);
        for object in facts.posix.values_mut() {
            object.stat.mode = 0o100_666;
        }
    });
    machine.add_sysv(32770, 0x4d2, FakeBytes::full(&[1, 2, 3, 4, 5, 6, 7, 8]));
    machine.add_sysv(32771, 0, FakeBytes::hole(300 << 20));
    machine.add_sysv(32772, 0xdead_beef, FakeBytes::full(&[9; 5000]));
    machine.edit(|facts| {
        (facts.sysv[0].row.mode, facts.sysv[0].row.locked) = (shmlens::segment::Mode::new(0o666), true);
        facts.sysv[0].row.nattch = 2;
        facts.sysv[1].row.uid = 1001;
        facts.sysv[2].row.marked = true;
        facts.sysv[2].row.nattch = 1;
        facts.sysv[2].row.key = shmlens::segment::Key(0);
        if let Some(shm) = &mut facts.limits.dev_shm {
            shm.used = shmlens::segment::Bytes(2 << 30);
        }
    });
    machine
}

fn plain() -> Theme {
    Theme::new(Name::Default, Depth::Sixteen, false)
}

/// Compares the screen with a snapshot.
fn assert_snapshot(name: &str, harness: &Harness, theme: &Theme) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("screens/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, harness.picture(theme)));
}

const SIZES: [(u16, u16); 4] = [(80, 24), (100, 30), (140, 45), (200, 55)];
/// Sizes below the recommended minimum.
const SMALL: [(u16, u16); 2] = [(60, 15), (40, 8)];

/// Reports the progress of a search.
fn searching(done: u64, total: u64) -> Body {
    Body::Progress(WorkProgress { what: String::new(), item: 0, items: 0, done, total })
}

/// Returns a machine with a ring that two programs share, and values in it.
fn busy() -> FakeMachine {
    let machine = held();
    let mut ring = FakeBytes::hole(256 << 10);
    ring.write(0, b"GNIR\x03\0\0\0");
    ring.write(8, &17_010u64.to_le_bytes());
    ring.write(24, &1.07f64.to_le_bytes());
    machine.add_object("md_ring", ring);
    for (pid, command, access) in
        [(17_894, "trading-engine", Access::ReadWrite), (17_926, "md-feed", Access::Read)]
    {
        machine.add_process(pid, command);
        machine.map_in(pid, "md_ring", access);
    }
    for number in 0..40 {
        machine.add_object(&format!("worker_{number}"), FakeBytes::full(&[number; 100]));
    }
    machine
}

/// Opens the busy machine with the ring selected, and moves a counter and a price in it for four
/// seconds.
fn moving(width: u16, height: u16) -> Harness {
    let mut harness = Harness::new(busy(), width, height);
    harness.press("j<space><space>/md_ring<enter><esc>");
    for step in 0u64..16 {
        harness.machine.edit_object("md_ring", |bytes| {
            bytes.write(8, &(17_022 + 12 * step).to_le_bytes());
            let price = 1.07 + f64::from(u8::try_from(step % 5).unwrap()) / 100.0;
            bytes.write(24, &price.to_le_bytes());
            bytes.write(64 + 64 * step, &[0x80; 16]);
        });
        harness.wait(250);
    }
    harness
}

#[test]
fn segments_screen_matches_its_snapshots() {
    for (width, height) in SIZES.into_iter().chain(SMALL) {
        let harness = moving(width, height);
        if height >= 24 {
            let screen = harness.screen();
            for text in ["/md_ring", "→ md-feed", "rows ", "marked", "0008", "u64"] {
                assert!(screen.contains(text), "no {text} in\n{screen}");
            }
        }
        assert_snapshot(&format!("segments-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn segments_screen_matches_its_snapshots_in_other_themes() {
    let harness = moving(100, 30);
    for (name, theme) in [
        ("dark", Theme::new(Name::Dark, Depth::True, false)),
        ("light", Theme::new(Name::Light, Depth::True, false)),
        ("true", Theme::new(Name::Default, Depth::True, false)),
        ("many", Theme::new(Name::Default, Depth::Many, false)),
        ("sixteen", plain()),
        ("none", Theme::new(Name::Default, Depth::Mono, false)),
        ("mono", Theme::new(Name::Mono, Depth::True, false)),
        ("ascii", Theme::new(Name::Default, Depth::Sixteen, true)),
    ] {
        assert_snapshot(&format!("segments-{name}"), &harness, &theme);
    }
}

#[test]
fn screens_and_overlays_at_every_size() {
    for (width, height) in SIZES {
        let mut harness = moving(width, height);
        for (name, keys) in [
            ("help", "?"),
            ("palette", ":"),
            ("remove", "x"),
            ("clean", "c"),
            ("new", "n/new<tab>1M"),
            ("permissions", "p"),
            ("detail", "<tab>"),
            ("inspect-ring", "<enter>"),
            ("filtered", "/leak<enter>"),
            ("leaked", "/sparse<enter>"),
            ("unread", "g"),
            ("sorted", "sc<enter>"),
        ] {
            harness.press(keys);
            harness.wait(500);
            assert_snapshot(&format!("{name}-{width}x{height}"), &harness, &plain());
            harness.press("<esc>/md_ring<enter><esc>");
        }
    }
    for (width, height) in SIZES {
        assert_snapshot(
            &format!("empty-{width}x{height}"),
            &Harness::new(FakeMachine::new(), width, height),
            &plain(),
        );
    }
}

#[test]
fn filter_counts_the_shown_segments() {
    for (width, height) in SIZES {
        let mut harness = moving(width, height);
        harness.press("/worker<enter>");
        let first = harness.screen().lines().next().unwrap().to_owned();
        assert!(first.contains("40 of 52 segments") && first.contains("2 marked"), "{first}");
    }
}

#[test]
fn ascii_mode_draws_only_ascii() {
    let machine = FakeMachine::new();
    machine.add_object("plain", FakeBytes::full(&[0x80; 5000]));
    machine.add_sysv(1, 2, FakeBytes::full(&[1; 9000]));
    let theme = Theme::new(Name::Default, Depth::Sixteen, true);
    for (width, height) in SIZES.into_iter().chain(SMALL) {
        for keys in [
            "",
            "?",
            ":",
            "s",
            "/",
            "<enter>",
            "<down><enter>",
            "<enter>t",
            "<enter>y",
            "<enter>o",
            "<enter>m",
            "p",
            "pj<tab>8<tab>carl<tab><tab>ann<enter>",
            "n",
            "n<up><space><down>7<enter>",
            "h",
            "c",
        ] {
            let mut harness = Harness::new(machine.clone(), width, height);
            harness.press(keys);
            let picture = harness.picture(&theme);
            let odd: String = picture.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(odd, "", "{width}x{height} {keys}\n{picture}");
        }
    }
}

#[test]
fn filter_without_matches_matches_its_snapshot() {
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/zebra");
    assert_snapshot("filter-typed", &harness, &plain());
    harness.press("<enter>");
    assert_snapshot("filter-fits-nothing", &harness, &plain());
    harness.press("/size>big");
    assert_snapshot("filter-wrong", &harness, &plain());
}

#[test]
fn inspect_matches_its_snapshots() {
    for (width, height) in [(80, 24), (140, 45), (200, 50), (99, 19), (40, 8)] {
        let mut harness = Harness::new(machine(), width, height);
        harness.press("/psm<enter><enter>");
        harness.press("l".repeat(32).as_str());
        harness.machine.edit_object("psm_1f09ab2c", |bytes| bytes.write(40, b"changed"));
        harness.look();
        assert_snapshot(&format!("inspect-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn inspect_matches_its_snapshot_in_true_color() {
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/psm<enter><enter>");
    for index in 0u8..8 {
        harness.machine.edit_object("psm_1f09ab2c", |bytes| bytes.write(64 + u64::from(index), &[0xaa]));
        harness.look();
        harness.wait(300);
    }
    assert_snapshot("inspect-glow-true", &harness, &Theme::new(Name::Default, Depth::True, false));
    assert_snapshot("inspect-glow-many", &harness, &Theme::new(Name::Default, Depth::Many, false));
    assert_snapshot("inspect-glow-light", &harness, &Theme::new(Name::Light, Depth::True, false));
    assert_snapshot("inspect-glow-mono", &harness, &Theme::new(Name::Mono, Depth::Mono, false));
}

#[test]
fn inspect_of_holes_and_a_huge_segment_matches_its_snapshots() {
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/camera0<enter><enter>}");
    assert_snapshot("inspect-holes", &harness, &plain());
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/sparse<enter><enter>G");
    assert_snapshot("inspect-end-of-4-tib", &harness, &plain());
}

#[test]
fn inspect_of_values_matches_its_snapshots() {
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/psm<enter><enter>tf<enter>");
    assert_snapshot("inspect-f32", &harness, &plain());
    harness.press("tu<down><down><down><enter>");
    assert_snapshot("inspect-u64", &harness, &plain());
}

#[test]
fn inspect_notices_match_their_snapshots() {
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("/psm<enter><enter><space>");
    assert_snapshot("inspect-frozen", &harness, &plain());
    harness.press("<space>");
    harness.machine.edit_object("psm_1f09ab2c", |bytes| bytes.size = 40);
    harness.look();
    assert_snapshot("inspect-shrunk", &harness, &plain());
    harness.machine.remove_object("psm_1f09ab2c");
    harness.look();
    assert_snapshot("inspect-removed", &harness, &plain());
    harness.machine.add_object("psm_1f09ab2c", FakeBytes::hole(9));
    harness.look();
    assert_snapshot("inspect-replaced", &harness, &plain());
    let mut harness = Harness::new(machine(), 80, 24);
    harness.press("<enter>P");
    assert_snapshot("inspect-attached-kept", &harness, &plain());
    harness.press("q");
    assert_snapshot("segments-attached-kept", &harness, &plain());
}

#[test]
fn overlays_match_their_snapshots() {
    for (name, keys) in [
        ("help-scrolled", "?<pgdn>"),
        ("palette-typed", ":sort"),
        ("palette-none", ":zebra"),
        ("sort", "s<down>"),
        ("help-inspect", "<enter>?"),
        ("type", "<enter>t"),
        ("copy", "<enter>y"),
        ("go-to", "<enter>o"),
        ("go-to-wrong", "<enter>o0xffff<enter>"),
        ("search", "<enter>/"),
        ("search-hex-wrong", "<enter>\\xy<enter>"),
        ("search-found", "<enter>\\04 05<enter>"),
        ("search-none", "<enter>/zebra<enter>"),
        ("mark-letter", "<enter>m"),
        ("mark-go", "<enter>ma'"),
    ] {
        for (width, height) in [(80, 24), (140, 45)] {
            let mut harness = Harness::new(machine(), width, height);
            harness.press(keys);
            assert_snapshot(&format!("overlay-{name}-{width}x{height}"), &harness, &plain());
        }
    }
}

#[test]
fn unparsable_line_is_reported_and_the_rest_shown() {
    let machine = machine();
    machine.edit(|facts| facts.stray_lines.push("7 eight nine".to_owned()));
    for (width, height) in [(80, 24), (140, 45)] {
        let mut harness = Harness::new(machine.clone(), width, height);
        assert!(harness.screen().contains("/proc/sysvipc/shm line 5"), "{}", harness.screen());
        assert_snapshot(&format!("problem-{width}x{height}"), &harness, &plain());
        // Each limit raises its alert only once.
        harness.press("j");
        harness.survey();
        assert!(!harness.screen().contains("line 5"));
    }
}

#[test]
fn long_search_shows_progress_and_the_stop_key() {
    for (width, height) in [(80, 24), (140, 45)] {
        let mut harness = Harness::new(machine(), width, height);
        harness.searches_hang = true;
        harness.press("/camera<enter><enter>/needle<enter>");
        harness.report_inspect(searching(3 << 20, 24 << 20));
        assert_snapshot(&format!("searching-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn long_action_shows_progress_and_the_stop_key() {
    for (width, height) in [(80, 24), (140, 45), (40, 8)] {
        let mut harness = Harness::new(machine(), width, height);
        harness.acts = Acts::Hang;
        for key in ["j<space><space>", "x", "f", "y"] {
            harness.press(key);
            harness.wait(200);
        }
        let progress = WorkProgress {
            what: "copying sysv:32771".to_owned(),
            item: 1,
            items: 2,
            done: 120 << 20,
            total: 300 << 20,
        };
        harness.report(Body::Progress(progress));
        assert_snapshot(&format!("act-working-{width}x{height}"), &harness, &plain());
        harness.press("<esc>");
        assert_snapshot(&format!("act-stopping-{width}x{height}"), &harness, &plain());
        let mut harness = Harness::new(machine(), width, height);
        harness.acts = Acts::Hang;
        harness.state.undo = Some(Undo::Copies(vec![]));
        harness.press("u");
        let at =
            WorkProgress { what: "restoring".to_owned(), item: 1, items: 1, done: 9 << 20, total: 24 << 20 };
        harness.report(Body::Progress(at));
        assert_snapshot(&format!("undo-working-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn every_width_and_type_is_drawn_completely() {
    for (width, height) in [(80, 24), (100, 30), (140, 45), (200, 50)] {
        for presses in 0..5 {
            for scalar in Scalar::BASIC {
                let mut harness = Harness::new(machine(), width, height);
                harness.press(&format!("/psm<enter><enter>t{}<enter>{}", scalar.word(), "w".repeat(presses)));
                let layout = harness.state.inspect.as_ref().unwrap().layout(harness.state.size);
                assert!(layout.map.right() <= width);
                // Truncating the row would drop the middle of a value.
                for row in harness.screen().lines().skip(usize::from(layout.rows.y)).take(6) {
                    let values: String = row.chars().take(usize::from(layout.rows.right())).collect();
                    assert!(!values.contains('…'), "{width} {scalar:?} {presses}: {row}");
                }
            }
        }
    }
}

#[test]
fn action_dialogs_match_their_snapshots() {
    for (name, keys) in [
        ("lock", "l"),
        ("permissions-changed", "Gpj <right> <tab><tab>bob<tab>bob<tab>uid:4242"),
        ("permissions-wrong", "p<tab>rw<tab>carl<tab><tab>99999<enter>"),
        ("permissions-batch", "<space><space><space>pjj<tab>g+w"),
        ("new-sysv", "n/camera1<up><space><down>0x77<tab>1M<tab>0666"),
        ("new-taken", "ncamera0<tab><tab>0666<enter>"),
        ("new-wrong", "nx<tab>big<enter>"),
        ("permissions-plan", "p0640<enter>"),
        ("remove-one", "Gx"),
        ("remove-forced", "Gxf"),
        ("remove-batch", "<space><space><space><space>x"),
        ("log-empty", ":log<enter>"),
    ] {
        for (width, height) in [(80, 24), (140, 45), (40, 8)] {
            let mut harness = Harness::new(machine(), width, height);
            for key in keys.split_inclusive('x') {
                harness.press(key);
                harness.wait(200);
            }
            assert_snapshot(&format!("act-{name}-{width}x{height}"), &harness, &plain());
        }
    }
}

/// Returns a machine with several holders and more leaks.
fn held() -> FakeMachine {
    let machine = machine();
    for (pid, command) in [
        (812, "grabber"),
        (4121, "camera-server-with-a-long-name.py"),
        (104_188, "reader.py"),
        (9_999_999, "shmlens"),
    ] {
        machine.add_process(pid, command);
    }
    machine.edit(|facts| {
        facts.sysv[0].row.nattch = 1;
        facts.processes.get_mut(&812).unwrap().uid = 1001;
    });
    for (pid, access) in [(812, Access::ReadWrite), (812, Access::Read), (4121, Access::Read)] {
        machine.attach_in(pid, 32770, access);
        machine.map_in(pid, "camera0", access);
    }
    machine.attach_in(104_188, 32770, Access::Read);
    machine.open_in(104_188, "psm_1f09ab2c", Access::Read);
    machine.add_object("scratch", FakeBytes::full(&vec![7; 70_000]));
    machine.map_in(812, "scratch", Access::ReadWrite);
    machine.remove_object("scratch");
    machine.add_sysv(32773, 0, FakeBytes::full(&vec![1; 1 << 20]));
    machine.edit(|facts| {
        // A process outside of the pid namespace used it last, so nothing is certain.
        for (index, creator) in [(3, 77), (1, 78)] {
            let row = &mut facts.sysv[index].row;
            (row.creator_pid, row.last_pid, row.attach) = (creator, 0, row.change);
        }
        let old = shmlens::segment::Timestamp::from_seconds(facts.now - 90_000);
        let stat = &mut facts.posix.get_mut(&ObjectName::new(b"sparse").unwrap()).unwrap().stat;
        (stat.access, stat.modify, stat.change, stat.birth) = (old, old, old, Some(old));
    });
    machine
}

#[test]
fn holder_and_leak_lists_match_their_snapshots() {
    let themes = [
        ("80x24", (80, 24), plain()),
        ("140x45", (140, 45), plain()),
        ("40x8", (40, 8), plain()),
        ("light", (80, 24), Theme::new(Name::Light, Depth::True, false)),
        ("ascii", (80, 24), Theme::new(Name::Default, Depth::Mono, true)),
    ];
    for (name, keys) in [
        ("holders", "h"),
        ("holders-none", "jh"),
        ("holders-end", "hK"),
        ("clean-ticked", "cG<space>"),
        ("clean-confirm", "c<enter>"),
    ] {
        for (form, (width, height), theme) in &themes {
            let mut harness = Harness::new(held(), *width, *height);
            harness.press(keys);
            assert_snapshot(&format!("{name}-{form}"), &harness, theme);
        }
    }
    let mut harness = Harness::new(FakeMachine::new(), 80, 24);
    harness.press("c");
    assert_snapshot("clean-nothing", &harness, &plain());
}

#[test]
fn list_of_writers_matches_its_snapshot() {
    let machine = held();
    for (pid, command, tids) in
        [(501, "motor", vec![501, 503]), (502, "tuner-with-a-long-name.py", vec![502])]
    {
        machine.add_process(pid, command);
        machine.map_in(pid, "psm_1f09ab2c", Access::ReadWrite);
        let thread = |tid| (Thread { tid, inner_tid: tid, name: vec![] }, ThreadActivity::Running);
        machine.edit(|facts| {
            facts.processes.get_mut(&pid).unwrap().image.threads = tids.into_iter().map(thread).collect();
        });
    }
    let mut harness = Harness::new(machine, 100, 30);
    let row =
        harness.state.table.shown.iter().position(|&index| {
            harness.state.survey.as_ref().unwrap().segments[index].label() == "/psm_1f09ab2c"
        });
    harness.press(&"j".repeat(row.unwrap()));
    harness.press("<enter>");
    harness.look();
    harness.press("W");
    assert_snapshot("writers-none-100x30", &harness, &plain());
    let time = u64::try_from(harness.machine.monotonic_time().as_nanos()).unwrap();
    for (pid, tid, count) in [(501, 503, 2600), (502, 502, 12), (501, 501, 3)] {
        for _ in 0..count {
            let (instruction, address, length) = (0x1001, 0x7000_0000, 8);
            harness.machine.write_in(FakeWrite { pid, tid, time, instruction, address, length });
        }
    }
    harness.wait(300);
    assert_snapshot("writers-100x30", &harness, &plain());
    harness.inject(Event::Resize(shmlens::app::event::Size { width: 40, height: 8 }));
    assert_snapshot("writers-40x8", &harness, &plain());
}

#[test]
fn nearly_full_alert_matches_its_snapshot() {
    let machine = held();
    machine.edit(|facts| {
        let shm = facts.limits.dev_shm.as_mut().unwrap();
        (shm.size, shm.used) = (shmlens::segment::Bytes(100_000), shmlens::segment::Bytes(97_000));
        facts.limits.shmmni = Some(4);
        facts.limits.remove_ipc = Some(true);
    });
    for (width, height) in [(80, 24), (140, 45), (60, 19)] {
        assert_snapshot(
            &format!("alert-{width}x{height}"),
            &Harness::new(machine.clone(), width, height),
            &plain(),
        );
    }
}

#[test]
fn own_attachments_match_their_snapshot() {
    for (width, height) in [(80, 24), (140, 45), (40, 8)] {
        let mut harness = Harness::new(machine(), width, height);
        // The third segment is marked for removal and has no other holder.
        harness.machine.edit(|facts| facts.sysv[2].row.nattch = 0);
        harness.press("<enter>Pqjj<enter>Pq/psm<enter><enter>Pq<esc>D");
        assert_snapshot(&format!("holds-{width}x{height}"), &harness, &plain());
        harness.press("<esc>g<enter>D");
        assert_snapshot(&format!("holds-in-inspect-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn forms_match_their_snapshots_in_other_themes() {
    for (name, keys) in [("permissions", "pj <tab><tab>bob<tab><tab>ann"), ("new", "n/new<tab>1M")] {
        for (theme, look) in [
            ("light", Theme::new(Name::Light, Depth::True, false)),
            ("mono", Theme::new(Name::Mono, Depth::True, false)),
            ("ascii", Theme::new(Name::Default, Depth::Mono, true)),
        ] {
            let mut harness = Harness::new(machine(), 80, 24);
            harness.press(keys);
            assert_snapshot(&format!("act-{name}-{theme}"), &harness, &look);
        }
    }
}

#[test]
fn refusal_names_the_owner_and_a_remedy() {
    let machine = machine();
    machine.edit(|facts| {
        facts.effective_uid = 1000;
        facts.sysv[1].row.marked = false;
    });
    let mut harness = Harness::new(machine, 80, 24);
    harness.press("j<enter>");
    assert_snapshot("refused", &harness, &plain());
}

#[test]
fn too_small_terminal_shows_the_minimum_size() {
    for (width, height) in [(39, 24), (80, 7), (20, 3), (1, 1), (0, 0)] {
        let harness = Harness::new(machine(), width, height);
        assert_snapshot(&format!("too-small-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn every_screen_draws_at_every_size() {
    for keys in [
        "",
        "?",
        ":",
        "s",
        "/x",
        "p",
        "p<tab><tab><tab><tab>ann",
        "n",
        "n<up> <up>",
        "<enter>",
        "<enter>t",
        "<enter>w",
        "<enter>tt<enter>",
        "<enter>o",
        "<tab>",
        "h",
        "hK",
        "c",
    ] {
        for width in [0, 1, 2, 10, 39, 40, 41, 63, 79, 80, 99, 100, 101, 129, 130, 131, 250] {
            for height in [0, 1, 2, 3, 7, 8, 9, 12, 19, 20, 21, 30, 60] {
                let mut harness = Harness::new(machine(), 80, 24);
                harness.press(keys);
                harness.inject(Event::Resize(shmlens::app::event::Size { width, height }));
                let _ = harness.screen();
            }
        }
    }
}

/// Returns the program with a list of Python selected, whose items change.
fn listed(width: u16, height: u16) -> Harness {
    let machine = FakeMachine::new();
    let mut list = FakeBytes::hole(300);
    let words = [3, 0, 8, 16, 40, 7, 1.5_f64.to_bits()];
    for (at, word) in (0..).zip(words) {
        list.write(8 * at, &u64::to_le_bytes(word));
    }
    list.write(56, b"a text of 24 characters ");
    list.write(80, b"q\0\0\0\0\0\0\0d\0\0\0\0\0\0\x0024s\0\0\0\0\0\0\0\x01");
    machine.add_object("psm_list", list);
    machine.add_object("other", FakeBytes::full(b"no type"));
    let mut harness = Harness::new(machine, width, height);
    harness.survey();
    harness.press("j");
    for step in 0u64..8 {
        harness.machine.edit_object("psm_list", |bytes| bytes.write(40, &(700 + step).to_le_bytes()));
        harness.wait(250);
    }
    harness
}

#[test]
fn fields_of_a_certain_type_match_their_snapshots() {
    for (width, height) in [(80, 24), (140, 45)] {
        let mut harness = listed(width, height);
        assert_snapshot(&format!("strip-fields-{width}x{height}"), &harness, &plain());
        harness.press("<enter>");
        harness.look();
        harness.press("<tab>j");
        harness.wait(500);
        assert_snapshot(&format!("inspect-fields-{width}x{height}"), &harness, &plain());
        harness.press("t");
        assert_snapshot(&format!("types-{width}x{height}"), &harness, &plain());
        harness.press("<esc>");
        harness.machine.edit_object("psm_list", |bytes| bytes.write(80, b"z"));
        harness.wait(500);
        assert_snapshot(&format!("inspect-unfit-{width}x{height}"), &harness, &plain());
    }
}
