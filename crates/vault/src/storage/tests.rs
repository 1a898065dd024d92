use futures_util::stream;
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 64 * 1024 * 1024;

fn body(
    content: &[u8],
    chunk: usize,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
    let chunks: Vec<_> =
        content.chunks(chunk.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    stream::iter(chunks)
}

fn expecting(content: &[u8]) -> Expected {
    Expected { sha256: Sha256::of(content), size_bytes: None, limit_bytes: LIMIT }
}

async fn read(vault: &Vault, sha256: Sha256, range: Option<ByteRange>) -> Result<Vec<u8>, Error> {
    let download = vault.get(sha256, range).await?;
    let chunks: Vec<Bytes> = download.bytes.try_collect().await?;
    Ok(chunks.concat())
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n * 31 % 251) as u8).collect()
}

/// Everything in the folder, staged leftovers included.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn files_of_every_size_come_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    for vault in [Vault::memory(), Vault::folder(folder.path()).unwrap()] {
        for size in [0, 1, 1_000, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 17] {
            let content = content(size);
            let blob = vault.put(body(&content, 100_000), &expecting(&content)).await.unwrap();
            assert_eq!(blob.size_bytes, size as u64);
            assert_eq!(read(&vault, blob.sha256, None).await.unwrap(), content);
            assert_eq!(vault.verify(&blob).await.unwrap(), Ok(()));
        }
    }
}

#[tokio::test]
async fn nothing_is_kept_of_an_upload_that_does_not_fit_its_announcement() {
    for size in [10, 2 * PART_BYTES] {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::folder(folder.path()).unwrap();
        let good = content(size);
        let expected = expecting(&good);
        let mut wrong = good.clone();
        wrong[size / 2] ^= 1;
        let refused = vault.put(body(&wrong, 65_536), &expected).await;
        assert!(matches!(refused, Err(Error::WrongDigest { .. })), "{refused:?}");
        let short = vault.put(body(&good[1..], 65_536), &expected).await;
        assert!(matches!(short, Err(Error::WrongDigest { .. })), "{short:?}");
        let announced = Expected { size_bytes: Some(size as u64 + 1), ..expected };
        let size_wrong = vault.put(body(&good, 65_536), &announced).await;
        assert!(matches!(size_wrong, Err(Error::WrongSize { .. })), "{size_wrong:?}");
        let limited = Expected { limit_bytes: size as u64 - 1, ..expected };
        let large = vault.put(body(&good, 65_536), &limited).await;
        assert!(matches!(large, Err(Error::TooLarge { .. })), "{large:?}");
        let cut = body(&good, 65_536)
            .take(if size > 100 { 200 } else { 0 })
            .chain(stream::iter([Err(std::io::Error::other("gone"))]));
        let cut = vault.put(cut, &expected).await;
        assert!(matches!(cut, Err(Error::Interrupted(_))), "{cut:?}");

        assert_eq!(files_below(folder.path()), Vec::<std::path::PathBuf>::new());
        assert!(matches!(read(&vault, expected.sha256, None).await, Err(Error::Missing(_))));
    }
}

#[tokio::test]
async fn an_upload_in_progress_is_invisible_and_dropping_it_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::folder(folder.path()).unwrap();
    let content = content(3 * PART_BYTES);
    let expected = expecting(&content);
    let stuck = body(&content, 65_536).take(300).chain(stream::pending());
    let upload =
        tokio::time::timeout(std::time::Duration::from_millis(200), vault.put(stuck, &expected));
    assert!(upload.await.is_err(), "the upload never ends by itself");
    assert!(matches!(vault.size_bytes(expected.sha256).await, Err(Error::Missing(_))));
    for _ in 0..100 {
        if files_below(folder.path()).is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("left behind: {:?}", files_below(folder.path()));
}

#[tokio::test]
async fn concurrent_uploads_of_one_file_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::folder(folder.path()).unwrap();
    let content = content(PART_BYTES + 5);
    let expected = expecting(&content);
    let uploads = (0..6).map(|n| vault.put(body(&content, 50_000 + n), &expected));
    for blob in futures_util::future::join_all(uploads).await {
        assert_eq!(blob.unwrap().sha256, expected.sha256);
    }
    assert_eq!(files_below(folder.path()).len(), 1);
}

#[tokio::test]
async fn verification_finds_every_kind_of_damage() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::folder(folder.path()).unwrap();
    let content = content(1_000);
    let blob = vault.put(body(&content, 100), &expecting(&content)).await.unwrap();
    let file = files_below(folder.path()).remove(0);
    let mut flipped = content.clone();
    flipped[999] ^= 0x80;
    std::fs::write(&file, &flipped).unwrap();
    assert_eq!(vault.verify(&blob).await.unwrap(), Err(Damage::Content));
    std::fs::write(&file, &content[..500]).unwrap();
    assert_eq!(vault.verify(&blob).await.unwrap(), Err(Damage::Size { found: 500 }));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(vault.verify(&blob).await.unwrap(), Err(Damage::Missing));
}

#[tokio::test]
async fn deleting_twice_is_harmless() {
    let vault = Vault::memory();
    let blob = vault.put(body(b"x", 1), &expecting(b"x")).await.unwrap();
    vault.delete(blob.sha256).await.unwrap();
    vault.delete(blob.sha256).await.unwrap();
    assert!(matches!(vault.size_bytes(blob.sha256).await, Err(Error::Missing(_))));
}

#[tokio::test]
async fn a_range_outside_the_file_is_refused_with_its_size() {
    let vault = Vault::memory();
    let blob = vault.put(body(b"hello", 2), &expecting(b"hello")).await.unwrap();
    for range in [
        ByteRange::From(5),
        ByteRange::Inclusive(7, 9),
        ByteRange::Inclusive(3, 2),
        ByteRange::Last(0),
    ] {
        let refused = read(&vault, blob.sha256, Some(range)).await;
        assert!(matches!(refused, Err(Error::OutOfRange { size_bytes: 5 })), "{range:?}");
    }
    let last = read(&vault, blob.sha256, Some(ByteRange::Last(99))).await.unwrap();
    assert_eq!(last, b"hello");
    let tail = read(&vault, blob.sha256, Some(ByteRange::Inclusive(3, 99))).await.unwrap();
    assert_eq!(tail, b"lo");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_range_gives_the_same_bytes_as_a_slice(
        content in proptest::collection::vec(any::<u8>(), 1..5_000),
        chunk in 1usize..700,
        first in 0u64..5_000,
        last in 0u64..5_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let vault = Vault::memory();
            let blob = vault.put(body(&content, chunk), &expecting(&content)).await.unwrap();
            let got = read(&vault, blob.sha256, Some(ByteRange::Inclusive(first, last))).await;
            let size = content.len() as u64;
            if first > last || first >= size {
                let refused = matches!(got, Err(Error::OutOfRange { .. }));
                prop_assert!(refused, "{first}..={last} of {size} bytes was read");
            } else {
                let slice = &content[first as usize..=(last.min(size - 1)) as usize];
                prop_assert_eq!(got.unwrap(), slice);
            }
            Ok(())
        })?;
    }
}
