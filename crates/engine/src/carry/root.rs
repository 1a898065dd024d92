//! A root directory of the job's own: the system's programs to read, its own directory to write,
//! and nothing else of the machine.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};

use super::namespace;
use super::task::Task;

/// Programs and libraries.
pub(super) const PROGRAMS: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store"];

/// What programs look up; never all of `/etc`, which holds secrets.
pub(super) const LOOKUPS: &[&str] = &[
    "/etc/OpenCL",
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/locale.alias",
    "/etc/locale.conf",
    "/etc/localtime",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/nvidia",
    "/etc/openmpi",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/tls",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/protocols",
    "/etc/python3",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/shells",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
    "/etc/vulkan",
];

/// What the kernel tells of processors, memory and devices.
pub(super) const HARDWARE: &[&str] =
    &["/sys/bus", "/sys/class", "/sys/dev", "/sys/devices", "/sys/module"];

/// Device files without state.
pub(super) const DEVICES: &[&str] =
    &["/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];

/// Device files that every user of an NVIDIA GPU needs.
pub(super) const GPU_DEVICES: &[&str] =
    &["/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"];

/// Device files of the GPUs that the job holds; none when it holds none.
pub(super) fn gpu_devices(task: &Task) -> Vec<PathBuf> {
    if task.gpus.is_empty() {
        return Vec::new();
    }
    let common = GPU_DEVICES.iter().map(PathBuf::from);
    common.chain(task.gpus.iter().map(|gpu| format!("/dev/nvidia{}", gpu.minor).into())).collect()
}

/// Puts the root together and enters it; this process must be number 1 of a process namespace.
pub(super) fn enter(task: &Task) -> io::Result<()> {
    let root = task.folder.join("root");
    namespace::leave_mounts()?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let plain = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", &root, "tmpfs", plain, Some(c"mode=0755,size=16m"))?;
    for path in known(&[PROGRAMS, LOOKUPS, HARDWARE]).chain(task.readable.iter().cloned()) {
        show(&root, &path, MountFlags::RDONLY)?;
    }
    for path in known(&[DEVICES]).chain(gpu_devices(task)) {
        show(&root, &path, MountFlags::NOEXEC)?;
    }
    mount_kernel_views(&root, task)?;
    // First the common name for it, because the folder itself may lie below.
    let own = task.folder.join("tmp");
    bind_own(&own, &root.join("tmp"))?;
    for path in [own, task.folder.join("work")] {
        bind_own(&path, &inside(&root, &path))?;
    }
    mount_remount(&root, MountFlags::BIND | MountFlags::RDONLY | plain, c"")?;
    pivot(&root)
}

fn known(lists: &[&'static [&'static str]]) -> impl Iterator<Item = PathBuf> {
    lists.iter().copied().flatten().map(PathBuf::from)
}

/// Process, terminal and shared-memory views that belong to the job alone.
fn mount_kernel_views(root: &Path, task: &Task) -> io::Result<()> {
    for path in ["proc", "dev/shm", "dev/pts"] {
        fs::create_dir_all(root.join(path))?;
    }
    let plain = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("proc", root.join("proc"), "proc", plain | MountFlags::NODEV, None)?;
    let shared = std::ffi::CString::new(format!("mode=1777,size={}m", task.request.memory_mb))?;
    mount(
        "tmpfs",
        root.join("dev/shm"),
        "tmpfs",
        plain | MountFlags::NODEV,
        Some(shared.as_c_str()),
    )?;
    mount(
        "devpts",
        root.join("dev/pts"),
        "devpts",
        plain,
        Some(c"newinstance,ptmxmode=0666,mode=620"),
    )?;
    symlink("pts/ptmx", root.join("dev/ptmx"))?;
    for (name, target) in [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, root.join(name))?;
    }
    Ok(())
}

/// The place of an absolute path below the new root.
fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes a directory of the job visible, to be written.
fn bind_own(path: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    mount_bind_recursive(path, target)?;
    restrict(target, MountFlags::NODEV)
}

/// Makes `path` of the machine visible at the same place; what does not exist is left out.
fn show(root: &Path, path: &Path, flags: MountFlags) -> io::Result<()> {
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    let target = inside(root, path);
    if fs::symlink_metadata(&target).is_ok() {
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let link_within = path.starts_with("/etc") || path.components().count() == 2;
    if about.is_symlink() && link_within && fs::read_link(path)?.is_relative() {
        return symlink(fs::read_link(path)?, &target);
    }
    let Ok(about) = fs::metadata(path) else { return Ok(()) };
    if about.is_dir() {
        fs::create_dir(&target)?;
    } else {
        fs::File::create_new(&target)?;
    }
    mount_bind_recursive(path, &target)?;
    restrict(&target, flags)
}

/// Adds `flags` to a bind mount, keeping those that may not be taken away.
fn restrict(target: &Path, flags: MountFlags) -> io::Result<()> {
    let kept = rustix::fs::statvfs(target)?.f_flag;
    let mut all = MountFlags::BIND | MountFlags::NOSUID | flags;
    for (kept_flag, flag) in [
        (rustix::fs::StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (rustix::fs::StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (rustix::fs::StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (rustix::fs::StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (rustix::fs::StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if kept.contains(kept_flag) {
            all |= flag;
        }
    }
    Ok(mount_remount(target, all, c"")?)
}

/// Makes `root` the root directory, with nothing of the old one left to be reached.
fn pivot(root: &Path) -> io::Result<()> {
    rustix::process::chdir(root)?;
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    Ok(rustix::process::chdir("/")?)
}
