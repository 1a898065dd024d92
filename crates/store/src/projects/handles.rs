//! The short names under which other tools know projects: `lattice-proteins` in
//! `lattice-proteins/model`. Made once from the title, and kept.

use sea_orm::FromQueryResult;
use units::{ProjectId, Slug};

use crate::{StoreError, Tx};

/// The longest part of a handle that comes from the title, in characters.
const STEM_LENGTH_MAX: usize = 40;
/// What stands where owners of repositories stand, and means something else.
const RESERVED: [&str; 6] = ["api", "datasets", "models", "spaces", "kernels", "buckets"];

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    handle: Option<String>,
}

impl Row {
    fn named(self) -> Result<(ProjectId, Slug), StoreError> {
        let id = ProjectId::from_uuid(self.id);
        // Only a project that was never named would have none, and all are.
        let handle = self.handle.ok_or_else(|| StoreError::damaged("project", "no handle"))?;
        let handle = handle.parse().map_err(|error| StoreError::damaged("project", error))?;
        Ok((id, handle))
    }
}

/// What a project may be called, best first: after its title, or after title and identifier.
pub(crate) fn handles_for(id: ProjectId, title: &str) -> [String; 2] {
    let mut stem = String::new();
    for character in title.to_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' => stem.push(character),
            _ if !stem.is_empty() && !stem.ends_with('-') => stem.push('-'),
            _ => {}
        }
    }
    let stem: String = stem.chars().take(STEM_LENGTH_MAX).collect();
    let stem = stem.trim_end_matches('-');
    let stem = if stem.is_empty() { "project" } else { stem };
    // The end of an identifier is random, its beginning is a time.
    let digits = id.uuid().simple().to_string();
    let unique = format!("{stem}-{}", digits.get(20..).unwrap_or(&digits));
    let plain = if RESERVED.contains(&stem) { unique.clone() } else { stem.to_owned() };
    [plain, unique]
}

/// Names a project that was just added.
pub(super) async fn name(tx: &Tx, id: ProjectId, title: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE project SET handle = $2 WHERE id = $1
        AND NOT EXISTS (SELECT 1 FROM project AS other WHERE other.handle = $2)";
    for handle in handles_for(id, title) {
        if tx.execute(SQL, [id.uuid().into(), handle.into()]).await? > 0 {
            return Ok(());
        }
    }
    Err(StoreError::damaged("project", "no free handle"))
}

/// The project that is called so.
///
/// # Errors
/// When the database fails.
pub async fn by_handle(tx: &Tx, handle: &Slug) -> Result<Option<ProjectId>, StoreError> {
    const SQL: &str = "SELECT id, handle FROM project WHERE handle = $1";
    let row = tx.one::<Row>(SQL, [handle.to_string().into()]).await?;
    Ok(row.map(|row| ProjectId::from_uuid(row.id)))
}

/// What a project is called.
///
/// # Errors
/// When the database fails.
pub async fn handle(tx: &Tx, project: ProjectId) -> Result<Option<Slug>, StoreError> {
    const SQL: &str = "SELECT id, handle FROM project WHERE id = $1";
    let row = tx.one::<Row>(SQL, [project.uuid().into()]).await?;
    Ok(row.map(Row::named).transpose()?.map(|(_, handle)| handle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name() {
        let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap();
        for (title, plain) in [
            ("Lattice QCD  & proteins!", "lattice-qcd-proteins"),
            ("  --x--", "x"),
            ("Κείμενα", "project"),
            ("Datasets", "datasets-0b7c2f6f9a10"),
            (&"long ".repeat(20), "long-long-long-long-long-long-long-long"),
        ] {
            let [first, second] = handles_for(id, title);
            assert_eq!(first, plain);
            assert!(first.parse::<Slug>().is_ok() && second.parse::<Slug>().is_ok());
            assert!(second.ends_with("-0b7c2f6f9a10"));
        }
    }
}
