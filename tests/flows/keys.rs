//! The table of actions matches the program: every row does something in each of its contexts, and
//! messages name each key by its binding.

use super::{harness, notice, small};
use crate::support::Harness;
use shmlens::app::action::{ACTIONS, Action, ActionInfo, Context};
use shmlens::app::event::{Event, Size};
use shmlens::app::{Keymap, update};
use shmlens::machine::fake::{FakeBytes, FakeMachine, FakeWrite};
use shmlens::machine::image::{Thread, ThreadActivity};
use shmlens::segment::Access;

/// Returns a machine with leaks and held objects.
fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    for shmid in 0..12 {
        machine.add_sysv(shmid, 0, FakeBytes::full(&[5; 50]));
    }
    for name in ["a", "b", "c"] {
        let mut bytes = FakeBytes::hole(9000);
        bytes.write(300, b"one two one two");
        bytes.write(8000, b"one");
        machine.add_object(name, bytes);
    }
    for pid in 4000..4009 {
        machine.add_process(pid, "writer");
        machine.map_in(pid, "b", Access::ReadWrite);
        let thread = (Thread { tid: pid, inner_tid: pid, name: vec![] }, ThreadActivity::Running);
        machine.edit(|facts| facts.processes.get_mut(&pid).unwrap().image.threads = vec![thread]);
    }
    machine
}

/// Writes to the first bytes of the object that a process maps, for the list of writers.
fn write_at_start(machine: &FakeMachine, pid: u32) {
    let (time, instruction, address, length) = (1, 0x1001, 0x7000_0000, 8);
    machine.write_in(FakeWrite { pid, tid: pid, time, instruction, address, length });
}

/// Presses keys, and waits before each until the dialog accepts keys.
fn press_slowly(keys: &str) -> Harness {
    let mut harness = harness(machine());
    for keys in keys.split('|') {
        harness.press(keys);
        for pid in 4000..4009 {
            write_at_start(&harness.machine, pid);
        }
        harness.wait(200);
        if harness.state.inspect.is_some() {
            harness.look();
        }
    }
    harness
}

/// Returns key sequences that lead to the context. Each row must do something after one of them.
const fn states(context: Context) -> &'static [&'static str] {
    match context {
        // Several segments are attached, an action can be undone, and a filter is set.
        Context::Segments => &["<enter>Pq|l|y|/kind=sysv<enter>|<space>jjjj"],
        Context::Detail => &["<enter>Pq|l|y|<tab>"],
        Context::Inspect => &["G<enter>ma|/one<enter>hhh", "G<enter>ma|la<tab>"],
        Context::Scope => &[
            "<enter>a|o16<enter>a|v|z<space>hhh|cj",
            "<enter>a|o16<enter>a|v|zzzz",
            "<enter>a|v|T(1) > 0; single<enter>|",
        ],
        Context::Pager => &["?<pgdn>jj", ":log<enter>"],
        Context::Choice => &["sjjj"],
        Context::Holders => &["Gkhjjj"],
        Context::Writers => &["Gk<enter>|W||jjj"],
        Context::Attachments => &["<enter>Pqj|<enter>Pqj|<enter>Pq|Dk"],
        // These start with and without a selection.
        Context::Clean => &["cjjj", "cAjjj"],
        Context::Confirm => &["Gk<space>kk<space>k<space>x|j", "Gkk<space><space><space>x|j"],
        Context::Form => &["pjl", "pj", "n<up>", "nab cd ef<left><left><left><left>", "w<tab>"],
        Context::Palette => &[":ma r k<left><left><left><down><down>"],
        Context::Prompt => &["G<enter>/ab cd ef<left><left><left><left>"],
        Context::Filter => {
            &["/kind=sysv size>1<left><left><left><left>jjj<down><down>", "/!zz ! zz<left><left><down><down>"]
        }
        Context::Channel => &["<enter>a|v|a/one+0x0:u8<left><left><left><left>"],
        // Other contexts cover their bases.
        Context::List | Context::Text => &[],
    }
}

/// Returns true if the action does something, without a refusal, after these keys.
fn works(row: &ActionInfo, context: Context, keys: &str) -> bool {
    let mut harness = press_slowly(keys);
    if context == Context::Detail {
        // Only a small screen scrolls.
        harness.inject(Event::Resize(Size { width: 80, height: 10 }));
        harness.press("jj");
    }
    assert_eq!(harness.state.context(), context, "{keys}");
    let key = harness.state.keymap.keys_in(context, row.action).next();
    let Some(key) = key else {
        assert!(row.keys.is_empty(), "{} cannot be reached in {context:?}", row.name);
        harness.press(&format!(":{}<enter>", row.name));
        return harness.state.overlay.is_some() && harness.state.context() != Context::Palette;
    };
    harness.state.notice = None;
    let before = format!("{:?}", harness.state);
    let effects = update(&mut harness.state, harness.clock, Event::Key(key));
    let refused = harness.state.notice.as_ref().is_some_and(|notice| notice.failed);
    !refused && (!effects.is_empty() || before != format!("{:?}", harness.state))
}

#[test]
fn every_action_works_in_each_of_its_contexts() {
    for context in Context::ALL.iter().copied() {
        let states = states(context);
        for row in ACTIONS.iter().filter(|row| row.works_in(context) && !states.is_empty()) {
            let works_in_any_state = states.iter().any(|keys| works(row, context, keys));
            assert!(works_in_any_state, "{} does nothing in {context:?}", row.name);
        }
    }
    // Each context of a row was covered, or is the base of one that was.
    for context in [Context::List, Context::Text] {
        assert!(Context::ALL.iter().any(|other| other.base() == Some(context)));
    }
}

/// Returns a harness with additional key bindings.
fn bound(machine: FakeMachine, keys: &[(&str, &str)]) -> Harness {
    let mut harness = harness(machine);
    let keys = keys.iter().map(|(name, key)| ((*name).to_owned(), vec![(*key).to_owned()])).collect();
    harness.state.keymap = Keymap::with_overrides(&keys).unwrap();
    harness
}

#[test]
fn overlay_keys_follow_their_bindings() {
    let machine = machine();
    let mut harness = bound(
        machine,
        &[("confirm", "f5"), ("close", "f6"), ("force", "f7"), ("save-copy", "f8"), ("terminate", "f9")],
    );
    harness.press("Gkx");
    harness.wait(200);
    let screen = harness.screen();
    for text in ["f7: force", "f7 force", "f8 no copy", "f6 cancel"] {
        assert!(screen.contains(text), "{text}\n{screen}");
    }
    harness.press("f");
    assert!(harness.screen().contains("f7 force"), "f is not bound anymore");
    harness.press("<f7>");
    harness.wait(200);
    assert!(harness.screen().contains("f5 remove") && harness.screen().contains("f7 no force"));
    harness.press("<esc>q");
    assert_eq!(harness.state.context(), Context::Confirm);
    harness.press("<f6>h");
    assert!(harness.screen().contains("f9 terminate   f6 close"), "{}", harness.screen());
    harness.press("<f9>");
    harness.wait(200);
    harness.press("y");
    assert!(harness.screen().contains("f5 terminate   f6 cancel"), "{}", harness.screen());
    harness.press("<f5>");
    assert!(notice(&harness).contains("terminated"), "{}", notice(&harness));
}

#[test]
fn form_list_and_prompt_keys_follow_their_bindings() {
    let keys = [
        ("accept", "f2"),
        ("close", "f3"),
        ("toggle", "f4"),
        ("next-field", "f5"),
        ("mark", "f6"),
        ("mark-all", "f7"),
        ("erase-line", "f8"),
        ("down", "f9"),
    ];
    let mut harness = bound(machine(), &keys);
    harness.press("p");
    assert!(
        harness.screen().contains("f4 toggle   f5 next field   f2 review   f3 cancel"),
        "{}",
        harness.screen()
    );
    harness.press("<f4><f5>");
    assert!(harness.screen().contains("mode   0200"), "{}", harness.screen());
    harness.press("x<f8>");
    assert!(!harness.screen().contains("mode   x"), "{}", harness.screen());
    harness.press("<f3>c");
    assert!(
        harness.screen().contains("f6 toggle   f7 all   f2 continue   f3 cancel"),
        "{}",
        harness.screen()
    );
    harness.press("A<f2>");
    assert_eq!(notice(&harness), "Nothing selected: f6 selects one, f7 selects all");
    harness.press("<f3>/kind=sysv");
    assert!(harness.screen().contains("match   f3 clear"), "{}", harness.screen());
    harness.press("<f3>:log<f2>");
    assert!(harness.screen().contains("↑/f9 scroll  f3 close"), "{}", harness.screen());
}

#[test]
fn text_field_takes_bound_letters() {
    let mut harness = bound(small(), &[("close", "x"), ("suspend", "z")]);
    harness.press("/xz");
    assert_eq!(harness.state.table.filter_text, "xz");
    assert!(!harness.suspended);
    // Ctrl-C quits, whatever else is bound.
    harness.press("<ctrl-c>z");
    assert!(harness.suspended && harness.state.overlay.is_none() && !harness.quit);
}

#[test]
fn help_lists_the_working_keys_of_every_context() {
    let mut harness = bound(small(), &[("terminate", "f9")]);
    harness.inject(Event::Resize(Size { width: 80, height: 300 }));
    harness.press("?");
    let screen = harness.screen();
    for context in Context::ALL.iter().copied() {
        assert!(screen.contains(&format!("│ {}", context.title())), "{context:?}");
    }
    assert!(screen.contains("f9            terminate the holder"), "{screen}");
    // A letter cannot close a prompt: it is typed.
    let prompts = screen.split("│ Prompts").nth(1).unwrap();
    let close = prompts.lines().find(|line| line.contains("close or cancel")).unwrap();
    assert!(!close.contains('q'), "{close}");
    assert!(ACTIONS.iter().any(|row| row.action == Action::Interrupt && row.is_global()));
}

#[test]
fn unbound_key_is_named_on_every_screen() {
    for (keys, text) in [
        ("Q", "Q is not bound; ? shows all keys"),
        ("<f5>", "f5 is not bound; ? shows all keys"),
        ("<enter>Q", "Q is not bound; ? shows all keys"),
        ("<enter><ctrl-x>", "ctrl-x is not bound; ? shows all keys"),
        ("xQ", "Q is not bound here"),
        ("hQ", "Q is not bound here"),
        // These are typed in a text field, and in a menu that selects by letter.
        ("/Q<f5>", ""),
        (":Q<f5>", ""),
        ("nQ<f5>", ""),
        ("s<f5>", "f5 is not bound here"),
        ("sQ", ""),
        // The next key clears the notice.
        ("Qj", ""),
    ] {
        let mut harness = harness(small());
        harness.press(keys);
        assert_eq!(notice(&harness), text, "{keys}");
        assert!(text.is_empty() || harness.screen().contains(text), "{}", harness.screen());
    }
    let mut harness = bound(small(), &[("help", "f2")]);
    harness.press("d");
    assert_eq!(notice(&harness), "d is not bound; f2 shows all keys");
}

#[test]
fn quit_asks_once_while_segments_stay_attached() {
    let mut harness = harness(small());
    harness.press("<enter>Pqj<enter>Pq");
    harness.press("q");
    assert_eq!(notice(&harness), "2 segments stay attached while shmlens runs; quit detaches. Press q again");
    assert!(!harness.quit);
    // Another key withdraws the question.
    harness.press("jq");
    assert!(!harness.quit);
    harness.press("Qq");
    assert!(!harness.quit);
    harness.press("q");
    assert!(harness.quit);

    let mut harness = self::harness(small());
    harness.press("<enter>Pq<ctrl-c>");
    assert!(harness.quit);
    let mut harness = self::harness(small());
    harness.press("q");
    assert!(harness.quit);
}

#[test]
fn long_notice_is_cut_and_complete_in_the_log() {
    let mut harness = Harness::new(small(), 60, 15);
    let text = "Failed to lock sysv:3: your limit for locked memory is 64 KiB and it has 1.0 MiB.";
    harness.inject(Event::Failed(text.to_owned()));
    let before = harness.screen();
    let rows: Vec<&str> = before.lines().collect();
    assert_eq!(
        rows.last().copied(),
        Some(" Failed to lock sysv:3: your limit for loc…  :log shows all"),
        "{before}"
    );
    assert_eq!(harness.state.log, [format!("message: {text}")]);
    // The cursor has not moved.
    harness.press("j");
    harness.press("k");
    let after = harness.screen();
    let rest = rows.len() - 1;
    assert_eq!(rows[..rest], after.lines().collect::<Vec<_>>()[..rest]);
    for keys in [":log<enter>", "<enter>:log<enter>"] {
        harness.press("<esc>");
        harness.press(keys);
        let log: String = harness.screen().lines().filter_map(|line| line.split('│').nth(1)).collect();
        let words: Vec<&str> = log.split_whitespace().collect();
        assert!(words.join(" ").contains(text), "{}", harness.screen());
        harness.press("<esc>");
    }
    // A notice that no longer fits after a resize is logged then.
    let mut harness = Harness::new(small(), 140, 45);
    harness.inject(Event::Failed(text.to_owned()));
    assert!(harness.state.log.is_empty() && harness.screen().contains(text));
    harness.inject(Event::Resize(Size { width: 80, height: 24 }));
    assert_eq!(harness.state.log, [format!("message: {text}")]);
}

#[test]
fn palette_names_the_key_of_an_action_of_a_dialog() {
    let mut harness = harness(small());
    harness.press(":confirm force");
    assert!(harness.screen().contains("in Confirm: toggle force for the segment"), "{}", harness.screen());
    harness.press("<enter>");
    assert_eq!(notice(&harness), "f: in Confirm: toggle force for the segment");
    assert!(harness.state.overlay.is_none());
}

#[test]
fn help_opens_at_the_screen_and_scrolls_both_ways() {
    let mut harness = harness(small());
    harness.press("<enter>?");
    let first = |harness: &Harness| harness.screen().lines().nth(1).unwrap_or_default().to_owned();
    assert!(first(&harness).contains("Inspect"), "{}", harness.screen());
    harness.press("g");
    assert!(first(&harness).contains("Segments"), "{}", harness.screen());
    harness.press("G");
    assert!(harness.screen().contains("Symbols"), "{}", harness.screen());
}
