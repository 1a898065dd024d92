use vault::Blake3;

use super::*;
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn blob(content: &[u8]) -> Blob {
    Blob {
        sha256: Sha256::of(content),
        blake3: Blake3::from_bytes([7; 32]),
        size_bytes: content.len() as u64,
        git: None,
    }
}

#[tokio::test]
async fn a_blob_belongs_to_the_holder_that_sent_all_of_it() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let (id, content) = (Uuid::new_v4(), blob(b"x"));
        let begun = begin(&tx, id, "repository:a", content.sha256, at(1)).await.unwrap();
        assert_eq!(begun, Admission::Begun);
        assert_eq!(uploaded(&tx, "repository:a", content.sha256).await.unwrap(), None);
        assert!(complete(&tx, id, &content).await.unwrap());
        assert_eq!(uploaded(&tx, "repository:a", content.sha256).await.unwrap(), Some(content));
        assert_eq!(
            uploaded(&tx, "repository:b", content.sha256).await.unwrap(),
            None,
            "knowing a digest is not having the file"
        );
    }
}

#[tokio::test]
async fn only_what_nothing_names_is_doomed() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let (old, new) = (Uuid::new_v4(), Uuid::new_v4());
        begin(&tx, old, "repository:a", blob(b"old").sha256, at(1)).await.unwrap();
        begin(&tx, new, "repository:a", blob(b"new").sha256, at(100)).await.unwrap();
        assert!(complete(&tx, old, &blob(b"old")).await.unwrap());
        assert_eq!(doom(&tx, at(1)).await.unwrap(), 0);
        assert_eq!(doom(&tx, at(50)).await.unwrap(), 1);
        assert_eq!(doomed(&tx).await.unwrap(), [blob(b"old").sha256]);
        assert!(
            !complete(&tx, old, &blob(b"old")).await.unwrap(),
            "an upload given up does not count as stored"
        );
    }
}

#[tokio::test]
async fn an_upload_of_a_doomed_blob_waits_until_the_deletion_is_done() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let sha256 = blob(b"x").sha256;
        begin(&tx, Uuid::new_v4(), "a", sha256, at(1)).await.unwrap();
        doom(&tx, at(2)).await.unwrap();
        let waiting = begin(&tx, Uuid::new_v4(), "b", sha256, at(3)).await.unwrap();
        assert_eq!(waiting, Admission::Wait);
        assert!(hold_doomed(&tx, sha256).await.unwrap());
        forget(&tx, sha256).await.unwrap();
        assert!(!hold_doomed(&tx, sha256).await.unwrap(), "it is deleted once");
        let begun = begin(&tx, Uuid::new_v4(), "b", sha256, at(4)).await.unwrap();
        assert_eq!(begun, Admission::Begun);
    }
}

#[tokio::test]
async fn stored_blobs_are_listed_in_pages() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let mut all = [blob(b"a"), blob(b"b"), blob(b"c")];
        all.sort_by_key(|blob| blob.sha256);
        for blob in &all {
            let id = Uuid::new_v4();
            begin(&tx, id, "h", blob.sha256, at(1)).await.unwrap();
            complete(&tx, id, blob).await.unwrap();
        }
        begin(&tx, Uuid::new_v4(), "h", Sha256::of(b"arriving"), at(1)).await.unwrap();
        assert_eq!(stored(&tx, None, 2).await.unwrap(), all[..2]);
        assert_eq!(stored(&tx, Some(all[1].sha256), 2).await.unwrap(), all[2..]);
    }
}
