use proptest::prelude::*;

use super::*;

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn entry(content: &str) -> FileEntry {
    FileEntry { sha256: Sha256::of(content.as_bytes()), size_bytes: content.len() as u64 }
}

fn put(name: &str, content: &str) -> Change {
    Change::Put(path(name), entry(content))
}

fn remove(name: &str) -> Change {
    Change::Remove(path(name))
}

#[test]
fn a_commit_adds_replaces_and_removes() {
    let first = Tree::default().apply(&[put("a", "1"), put("b/c", "2")]).unwrap();
    let second = first.apply(&[put("a", "one"), remove("b/c"), put("d", "4")]).unwrap();
    let names: Vec<_> = second.files().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["a", "d"]);
    assert_eq!(second.file(&path("a")), Some(entry("one")));
    assert_eq!(second.size_bytes(), 4);
    assert_eq!(first.file(&path("a")), Some(entry("1")), "the parent does not change");
}

#[test]
fn what_no_folder_could_hold_is_refused() {
    let tree = Tree::default().apply(&[put("a", "1")]).unwrap();
    assert_eq!(tree.apply(&[put("a/b", "2")]), Err(TreeError::FileAndFolder(path("a"))));
    assert_eq!(
        tree.apply(&[put("a/b", "2"), remove("a")]).map(|tree| tree.files().len()),
        Ok(1),
        "a file may give way to a folder within one commit"
    );
}

#[test]
fn a_commit_that_contradicts_itself_or_changes_nothing_is_refused() {
    let tree = Tree::default().apply(&[put("a", "1")]).unwrap();
    assert_eq!(tree.apply(&[]), Err(TreeError::Unchanged));
    assert_eq!(tree.apply(&[put("a", "1")]), Err(TreeError::Unchanged));
    assert_eq!(tree.apply(&[remove("z")]), Err(TreeError::NoSuchFile(path("z"))));
    assert_eq!(
        tree.apply(&[put("b", "1"), put("b", "2")]),
        Err(TreeError::ChangedTwice(path("b")))
    );
}

#[test]
fn too_many_files_are_refused() {
    let changes: Vec<_> = (0..=Tree::FILES_MAX).map(|n| put(&format!("f{n}"), "x")).collect();
    assert_eq!(Tree::default().apply(&changes), Err(TreeError::TooManyFiles));
}

fn trees() -> impl Strategy<Value = Tree> {
    proptest::collection::btree_map("[a-c]{1,3}", "[0-3]", 0..6).prop_map(|files| {
        Tree::from_entries(files.iter().map(|(name, content)| (path(name), entry(content))))
    })
}

proptest! {
    #[test]
    fn the_digest_tells_trees_apart(a in trees(), b in trees()) {
        prop_assert_eq!(a == b, a.digest() == b.digest());
    }

    #[test]
    fn the_changes_between_two_trees_lead_from_one_to_the_other(a in trees(), b in trees()) {
        let mut changes: Vec<_> = b
            .files()
            .map(|(path, entry)| Change::Put(path.clone(), entry))
            .collect();
        changes.extend(
            a.files().filter(|(path, _)| b.file(path).is_none()).map(|(path, _)| Change::Remove(path.clone())),
        );
        match a.apply(&changes) {
            Ok(result) => prop_assert_eq!(result, b),
            Err(error) => prop_assert!(a == b && error == TreeError::Unchanged),
        }
    }
}
