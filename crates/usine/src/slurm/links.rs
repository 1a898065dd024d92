//! Links by which this program is called as Slurm's commands are.

use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;

use super::Program;
use crate::exit::{Failure, Told};

/// Slurm's commands under their own names.
#[derive(Subcommand)]
pub(crate) enum SlurmCommand {
    /// Put links named sbatch, squeue, scancel, sacct, sinfo and srun into a folder; put the folder
    /// on the path, and scripts that call them reach the hub.
    Links {
        /// The folder; made if it is not there.
        folder: PathBuf,
    },
}

/// Carries out `usine slurm`.
pub(crate) fn run(command: &SlurmCommand) -> Result<()> {
    match command {
        SlurmCommand::Links { folder } => {
            let this = std::env::current_exe().context("cannot tell where this program is")?;
            link(folder, &this)?;
            println!("export PATH={}:$PATH", folder.display());
            Ok(())
        }
    }
}

/// Makes the links; what is no link is left alone.
fn link(folder: &Path, this: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for program in Program::ALL {
        let link = folder.join(program.name());
        if link.symlink_metadata().is_ok_and(|there| !there.is_symlink()) {
            let text = format!("{} is there already, and no link", link.display());
            return Err(Told::new(Failure::Refused, text).into());
        }
        match std::fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", link.display()));
            }
            _ => {}
        }
        symlink(this, &link).with_context(|| format!("cannot make {}", link.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_and_made_anew_and_programs_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        for target in ["/old", "/new"] {
            link(&bin, Path::new(target)).unwrap();
            assert_eq!(std::fs::read_link(bin.join("sbatch")).unwrap(), Path::new(target));
        }
        assert_eq!(std::fs::read_dir(&bin).unwrap().count(), Program::ALL.len());
        std::fs::remove_file(bin.join("srun")).unwrap();
        std::fs::write(bin.join("srun"), "a program").unwrap();
        assert!(link(&bin, Path::new("/x")).is_err());
        assert_eq!(std::fs::read_to_string(bin.join("srun")).unwrap(), "a program");
    }

    #[test]
    fn a_program_is_known_by_the_name_it_is_called_by() {
        assert_eq!(Program::called("/home/ada/bin/sbatch"), Some(Program::Sbatch));
        assert_eq!(Program::called("usine"), None);
        assert_eq!(Program::called("/usr/bin/sbatch.old"), None);
    }
}
