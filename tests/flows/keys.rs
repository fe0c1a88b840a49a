//! The table of actions matches the program: every row does something in each of its contexts, and
//! messages name each key by its binding.

use super::{notice, small, stage};
use crate::support::Stage;
use shmlens::app::action::{ACTIONS, Action, ActionInfo, Context};
use shmlens::app::event::{Event, Size};
use shmlens::app::{Keymap, update};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
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
    }
    machine
}

/// Presses keys, and waits before each until the dialog accepts keys.
fn press_slowly(keys: &str) -> Stage {
    let mut stage = stage(machine());
    for keys in keys.split('|') {
        stage.press(keys);
        stage.wait(200);
        if stage.state.inspect.is_some() {
            stage.look();
        }
    }
    stage
}

/// Returns key sequences that lead to the context. Each row must do something after one of them.
const fn states(context: Context) -> &'static [&'static str] {
    match context {
        // Several segments are attached, an action can be undone, and a filter is set.
        Context::Segments => &["<enter>Pq|l|y|/kind=sysv<enter>|<space>jjjj"],
        Context::Detail => &["<enter>Pq|l|y|<tab>"],
        Context::Inspect => &["G<enter>ma|/one<enter>hhh", "G<enter>ma|la<tab>"],
        Context::Pager => &["?<pgdn>jj", ":log<enter>"],
        Context::Choice => &["sjjj"],
        Context::Holders => &["Gkhjjj"],
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
        // Other contexts cover their bases.
        Context::List | Context::Text => &[],
    }
}

/// Returns true if the action does something, without a refusal, after these keys.
fn works(row: &ActionInfo, context: Context, keys: &str) -> bool {
    let mut stage = press_slowly(keys);
    if context == Context::Detail {
        // Only a small screen scrolls.
        stage.inject(Event::Resize(Size { width: 80, height: 10 }));
        stage.press("jj");
    }
    assert_eq!(stage.state.context(), context, "{keys}");
    let key = stage.state.keymap.keys_in(context, row.action).next();
    let Some(key) = key else {
        assert!(row.keys.is_empty(), "{} cannot be reached in {context:?}", row.name);
        stage.press(&format!(":{}<enter>", row.name));
        return stage.state.overlay.is_some() && stage.state.context() != Context::Palette;
    };
    stage.state.notice = None;
    let before = format!("{:?}", stage.state);
    let effects = update(&mut stage.state, stage.clock, Event::Key(key));
    let refused = stage.state.notice.as_ref().is_some_and(|notice| notice.failed);
    !refused && (!effects.is_empty() || before != format!("{:?}", stage.state))
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

/// Returns a stage with additional key bindings.
fn bound(machine: FakeMachine, keys: &[(&str, &str)]) -> Stage {
    let mut stage = stage(machine);
    let keys = keys.iter().map(|(name, key)| ((*name).to_owned(), vec![(*key).to_owned()])).collect();
    stage.state.keymap = Keymap::with_overrides(&keys).unwrap();
    stage
}

#[test]
fn overlay_keys_follow_their_bindings() {
    let machine = machine();
    let mut stage = bound(
        machine,
        &[("confirm", "f5"), ("close", "f6"), ("force", "f7"), ("save-copy", "f8"), ("terminate", "f9")],
    );
    stage.press("Gkx");
    stage.wait(200);
    let screen = stage.screen();
    for text in ["f7: force", "f7 force", "f8 no copy", "f6 cancel"] {
        assert!(screen.contains(text), "{text}\n{screen}");
    }
    stage.press("f");
    assert!(stage.screen().contains("f7 force"), "f is not bound anymore");
    stage.press("<f7>");
    stage.wait(200);
    assert!(stage.screen().contains("f5 remove") && stage.screen().contains("f7 no force"));
    stage.press("<esc>q");
    assert_eq!(stage.state.context(), Context::Confirm);
    stage.press("<f6>h");
    assert!(stage.screen().contains("f9 terminate   f6 close"), "{}", stage.screen());
    stage.press("<f9>");
    stage.wait(200);
    stage.press("y");
    assert!(stage.screen().contains("f5 terminate   f6 cancel"), "{}", stage.screen());
    stage.press("<f5>");
    assert!(notice(&stage).contains("terminated"), "{}", notice(&stage));
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
    let mut stage = bound(machine(), &keys);
    stage.press("p");
    assert!(
        stage.screen().contains("f4 toggle   f5 next field   f2 review   f3 cancel"),
        "{}",
        stage.screen()
    );
    stage.press("<f4><f5>");
    assert!(stage.screen().contains("mode   0200"), "{}", stage.screen());
    stage.press("x<f8>");
    assert!(!stage.screen().contains("mode   x"), "{}", stage.screen());
    stage.press("<f3>c");
    assert!(stage.screen().contains("f6 toggle   f7 all   f2 continue   f3 cancel"), "{}", stage.screen());
    stage.press("A<f2>");
    assert_eq!(notice(&stage), "Nothing selected: f6 selects one, f7 selects all");
    stage.press("<f3>/kind=sysv");
    assert!(stage.screen().contains("match   f3 clear"), "{}", stage.screen());
    stage.press("<f3>:log<f2>");
    assert!(stage.screen().contains("↑/f9 scroll  f3 close"), "{}", stage.screen());
}

#[test]
fn text_field_takes_bound_letters() {
    let mut stage = bound(small(), &[("close", "x"), ("suspend", "z")]);
    stage.press("/xz");
    assert_eq!(stage.state.table.filter_text, "xz");
    assert!(!stage.suspended);
    // Ctrl-C quits, whatever else is bound.
    stage.press("<ctrl-c>z");
    assert!(stage.suspended && stage.state.overlay.is_none() && !stage.quit);
}

#[test]
fn help_lists_the_working_keys_of_every_context() {
    let mut stage = bound(small(), &[("terminate", "f9")]);
    stage.inject(Event::Resize(Size { width: 80, height: 300 }));
    stage.press("?");
    let screen = stage.screen();
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
        let mut stage = stage(small());
        stage.press(keys);
        assert_eq!(notice(&stage), text, "{keys}");
        assert!(text.is_empty() || stage.screen().contains(text), "{}", stage.screen());
    }
    let mut stage = bound(small(), &[("help", "f2")]);
    stage.press("d");
    assert_eq!(notice(&stage), "d is not bound; f2 shows all keys");
}

#[test]
fn quit_asks_once_while_segments_stay_attached() {
    let mut stage = stage(small());
    stage.press("<enter>Pqj<enter>Pq");
    stage.press("q");
    assert_eq!(notice(&stage), "2 segments stay attached while shmlens runs; quit detaches. Press q again");
    assert!(!stage.quit);
    // Another key withdraws the question.
    stage.press("jq");
    assert!(!stage.quit);
    stage.press("Qq");
    assert!(!stage.quit);
    stage.press("q");
    assert!(stage.quit);

    let mut stage = self::stage(small());
    stage.press("<enter>Pq<ctrl-c>");
    assert!(stage.quit);
    let mut stage = self::stage(small());
    stage.press("q");
    assert!(stage.quit);
}

#[test]
fn long_notice_is_cut_and_complete_in_the_log() {
    let mut stage = Stage::new(small(), 60, 15);
    let text = "Failed to lock sysv:3: your limit for locked memory is 64 KiB and it has 1.0 MiB.";
    stage.inject(Event::Failed(text.to_owned()));
    let before = stage.screen();
    let rows: Vec<&str> = before.lines().collect();
    assert_eq!(
        rows.last().copied(),
        Some(" Failed to lock sysv:3: your limit for loc…  :log shows all"),
        "{before}"
    );
    assert_eq!(stage.state.log, [format!("message: {text}")]);
    // The cursor has not moved.
    stage.press("j");
    stage.press("k");
    let after = stage.screen();
    let rest = rows.len() - 1;
    assert_eq!(rows[..rest], after.lines().collect::<Vec<_>>()[..rest]);
    for keys in [":log<enter>", "<enter>:log<enter>"] {
        stage.press("<esc>");
        stage.press(keys);
        let log: String = stage.screen().lines().filter_map(|line| line.split('│').nth(1)).collect();
        let words: Vec<&str> = log.split_whitespace().collect();
        assert!(words.join(" ").contains(text), "{}", stage.screen());
        stage.press("<esc>");
    }
    // A notice that no longer fits after a resize is logged then.
    let mut stage = Stage::new(small(), 140, 45);
    stage.inject(Event::Failed(text.to_owned()));
    assert!(stage.state.log.is_empty() && stage.screen().contains(text));
    stage.inject(Event::Resize(Size { width: 80, height: 24 }));
    assert_eq!(stage.state.log, [format!("message: {text}")]);
}

#[test]
fn palette_names_the_key_of_an_action_of_a_dialog() {
    let mut stage = stage(small());
    stage.press(":confirm force");
    assert!(stage.screen().contains("in Confirm: toggle force for the segment"), "{}", stage.screen());
    stage.press("<enter>");
    assert_eq!(notice(&stage), "f: in Confirm: toggle force for the segment");
    assert!(stage.state.overlay.is_none());
}

#[test]
fn help_opens_at_the_screen_and_scrolls_both_ways() {
    let mut stage = stage(small());
    stage.press("<enter>?");
    let first = |stage: &Stage| stage.screen().lines().nth(1).unwrap_or_default().to_owned();
    assert!(first(&stage).contains("Inspect"), "{}", stage.screen());
    stage.press("g");
    assert!(first(&stage).contains("Segments"), "{}", stage.screen());
    stage.press("G");
    assert!(stage.screen().contains("Symbols"), "{}", stage.screen());
}
