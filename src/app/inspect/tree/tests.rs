//! Tests of the tree.

use super::*;
use crate::decode::{Decoded, ReadHeader, Window, parse_type};
use proptest::prelude::*;

const NO_HEADERS: ReadHeader<'static> = &|_| Err(String::new());

fn tree_of(text: &str, size: u64) -> Tree {
    Tree::new(&parse_type(text, NO_HEADERS).unwrap(), size).unwrap()
}

fn rows(tree: &Tree, from: usize, count: usize) -> Vec<String> {
    tree.rows(from, count)
        .iter()
        .map(|row| match row.kind {
            RowKind::Unused(count) => format!("{count} unused"),
            RowKind::PastEnd(count) => format!("{count} past the end"),
            kind => {
                let marker = match kind {
                    RowKind::Folded => "+",
                    RowKind::Unfolded => "-",
                    _ => "",
                };
                let name = tree.ty().path_text(&row.path);
                format!("{marker}{name}@{}", row.place.offset)
            }
        })
        .collect()
}

fn path(tree: &Tree, text: &str) -> Path {
    tree.ty().parse_path(text).unwrap()
}

#[test]
fn small_records_unfold_and_arrays_do_not() {
    let tree = tree_of("struct R { int a; struct { short x, y; } p; struct { int z; }; float m[4]; }", 100);
    assert_eq!(rows(&tree, 0, 99), ["a@0", "-p@4", "p.x@4", "p.y@6", "-@8", "z@8", "+m@12"]);
    let fields = (0..40).fold(String::new(), |fields, at| fields + &format!("int f{at};"));
    let tree = tree_of(&format!("struct R {{ struct {{ {fields} }} a; int b; }}"), 1000);
    assert_eq!(rows(&tree, 0, 99), ["+a@0", "b@160"]);
    assert!(Tree::new(&parse_type("u32", NO_HEADERS).unwrap(), 100).is_none());
}

#[test]
fn values_fold_and_unfold() {
    let mut tree = tree_of("struct R { struct P { short x, y; } p[3]; int b; }@8", 100);
    assert_eq!(rows(&tree, 0, 99), ["+p@8", "b@20"]);
    tree.unfold(&path(&tree, "p[1]"));
    let all = ["-p@8", "+p[0]@8", "-p[1]@12", "p[1].x@12", "p[1].y@14", "+p[2]@16", "b@20"];
    assert_eq!(rows(&tree, 0, 99), all);
    // Any part of the rows is the same as of all.
    for from in 0..all.len() {
        for count in 0..all.len() - from {
            assert_eq!(rows(&tree, from, count), all[from..from + count]);
        }
    }
    for (row, one) in tree.rows(0, 99).iter().enumerate() {
        assert_eq!(tree.row_of(&one.path), (row, one.path.clone()));
    }
    assert!(tree.fold(&path(&tree, "p[1]")) && !tree.fold(&path(&tree, "p[1]")));
    // A value in a folded one stands for that one.
    assert_eq!(tree.row_of(&path(&tree, "p[1].y")), (2, path(&tree, "p[1]")));
    tree.fold(&path(&tree, "p"));
    assert_eq!((tree.row_of(&path(&tree, "p[1].y")), tree.count()), ((0, path(&tree, "p")), 2));
    // A leaf does not unfold.
    tree.unfold(&path(&tree, "b"));
    assert!(!tree.is_unfolded(&path(&tree, "b")));
}

#[test]
fn huge_arrays_have_rows_at_any_position() {
    let mut tree = tree_of("struct R { struct P { double x, y; } p[1000000000]; int end; }", 1 << 40);
    tree.unfold(&path(&tree, "p"));
    tree.unfold(&path(&tree, "p[500000000]"));
    assert_eq!(tree.count(), 1_000_000_004);
    assert_eq!(
        rows(&tree, 500_000_001, 3),
        ["-p[500000000]@8000000000", "p[500000000].x@8000000000", "p[500000000].y@8000000008"]
    );
    assert_eq!(rows(&tree, 1_000_000_002, 9), ["+p[999999999]@15999999984", "end@16000000000"]);
    assert_eq!(tree.row_of(&path(&tree, "end")).0, 1_000_000_003);
    tree.select(&path(&tree, "p[999999999]"));
    tree.scroll(10);
    assert_eq!(tree.top, 1_000_000_004 - 10);
}

#[test]
fn elements_after_the_end_of_the_segment_are_counted() {
    let mut tree = tree_of("struct R { int a; int b[1000]; }", 24);
    tree.unfold(&path(&tree, "b"));
    assert_eq!(rows(&tree, 6, 9), ["b[4]@20", "995 past the end"]);
    assert_eq!(tree.row_of(&path(&tree, "b[900]")).0, 7);
    tree.resize(28);
    assert_eq!(rows(&tree, 7, 9), ["b[5]@24", "994 past the end"]);
}

/// Reads the counts from the bytes of the segment.
fn read(tree: &mut Tree, bytes: &[u8]) {
    tree.read_counts(|_, place| integer(&Decoded { place, window: Window { offset: 0, bytes } }.leaf()?));
}

#[test]
fn count_beside_an_array_hides_unused_elements() {
    for (fields, has_counter) in [
        ("int n; int a[5];", true),
        ("unsigned char len; int a[5];", true),
        ("short m_size; char pad[6]; int a[5];", true),
        ("int a_count; int other; int b[2]; int a[5];", true),
        ("int n; int b[2]; int other; int a[5];", false),
        ("double n; int a[5];", false),
        ("int x; int a[5];", false),
    ] {
        let mut tree = tree_of(&format!("struct R {{ {fields} }}"), 100);
        let mut bytes = [0; 100];
        bytes[0] = 2;
        tree.unfold(&path(&tree, "a"));
        read(&mut tree, &bytes);
        let first = tree.row_of(&path(&tree, "a")).0 + 1;
        let shown: Vec<RowKind> = tree.rows(first, 9).iter().map(|row| row.kind).collect();
        let expected = if has_counter {
            vec![RowKind::Leaf, RowKind::Leaf, RowKind::Unused(3)]
        } else {
            vec![RowKind::Leaf; 5]
        };
        assert_eq!(shown, expected, "{fields}");
    }
    let mut tree = tree_of("struct R { int n; int a[5]; }", 100);
    tree.unfold(&path(&tree, "a"));
    read(&mut tree, &[0; 100]);
    assert_eq!(rows(&tree, 1, 9), ["-a@4", "5 unused"]);
    read(&mut tree, &[9; 100]);
    assert_eq!(tree.count(), 7, "a count that is too large is no count");
    read(&mut tree, &[0xff; 100]);
    assert_eq!(tree.count(), 7, "nor is a negative one");
    read(&mut tree, &[1, 0, 0, 0]);
    assert_eq!(tree.row_of(&path(&tree, "a[4]")).0, 3);
    tree.show_all(&path(&tree, "a"));
    assert_eq!(tree.count(), 7);
}

#[test]
fn selection_stays_with_its_field() {
    let mut tree = tree_of("struct R { int n; int a[5]; int b; }", 100);
    tree.unfold(&path(&tree, "a"));
    read(&mut tree, &[1, 0, 0, 0]);
    tree.select(&path(&tree, "b"));
    assert_eq!(tree.row_of(tree.selected()).0, 4);
    read(&mut tree, &[4, 0, 0, 0]);
    assert_eq!((tree.row_of(tree.selected()).0, tree.selected().clone()), (7, path(&tree, "b")));
    tree.select_row(usize::MAX);
    assert_eq!(tree.selected().clone(), path(&tree, "b"));
}

proptest! {
    #[test]
    fn parts_of_the_rows_are_those_of_all(
        unfolded in proptest::collection::vec((0u64..6, 0u64..6, 0u64..6, 1usize..4), 0..12),
        used in 0u32..8,
        size in 0u64..500,
    ) {
        let text = "struct R { int n; struct A { short x; struct B { char y[4]; union { int u; float v[2]; } w[3]; } b; } a[5]; \
                    struct { int z; int count; int c[6]; }; double end; }";
        let mut tree = tree_of(text, size);
        for (first, second, third, length) in unfolded {
            tree.unfold(&Path([first, second, third][..length].to_vec()));
        }
        read(&mut tree, &used.to_le_bytes().repeat(200));
        let all = tree.rows(0, usize::MAX);
        prop_assert_eq!(all.len(), tree.count());
        for (at, row) in all.iter().enumerate() {
            prop_assert_eq!(tree.row_of(&row.path), (at, row.path.clone()));
            prop_assert_eq!(&tree.rows(at, 3)[..], &all[at..all.len().min(at + 3)]);
        }
    }
}

#[test]
fn new_type_keeps_the_selection_and_what_is_unfolded_by_name() {
    let mut tree = tree_of("struct R { int a; struct P { short x, y; } p[3]; char gone[4]; }", 100);
    tree.unfold(&path(&tree, "p[1]"));
    tree.select(&path(&tree, "p[1].y"));
    let ty = |text| parse_type(text, NO_HEADERS).unwrap().ty;
    // A field in front, and another type of an unfolded one.
    tree.replace_type(&ty("struct R { int first; int a; struct P { short x, y; } p[2]; }"));
    assert_eq!(
        rows(&tree, 0, 99),
        ["first@0", "a@4", "-p@8", "+p[0]@8", "-p[1]@12", "p[1].x@12", "p[1].y@14"]
    );
    assert_eq!(tree.ty().path_text(tree.selected()), "p[1].y");
    tree.replace_type(&ty("struct R { int a; int p; }"));
    assert_eq!(rows(&tree, 0, 99), ["a@0", "p@4"]);
    assert!(tree.selected_row().is_some());
}

#[test]
fn detected_value_has_the_name_of_a_field_of_its_size() {
    let tree = tree_of(
        "struct S { uint64_t tick; bool on; uint32_t flags : 4, errors : 12; float gain; char word[8]; }",
        100,
    );
    let name = |offset: u64, kind: &str| {
        tree.name_of(&Moving {
            offset,
            kind: kind.to_owned(),
            value: String::new(),
            history: vec![],
            rate: String::new(),
        })
    };
    assert_eq!(name(0, "u32/u64"), "tick");
    assert_eq!(name(0, "u16"), "", "the rest of the field stands still");
    assert_eq!(name(8, "u32/u64"), "", "a bool, and two bit-fields");
    assert_eq!(name(8, "u8"), "on");
    assert_eq!(name(12, "f32"), "gain");
    assert_eq!(name(16, "text[8]"), "word");
    assert_eq!([name(14, "u16"), name(900, "u8")], ["", ""]);
}
