//! Records what `versions.json` tells of a build: the git revision, where there is one, and the version of Burn.

use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let revision = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_string());
    println!("cargo::rustc-env=ATTENTIVE_GIT_REVISION={revision}");
    if let Some(head) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={head}");
    }

    // A build script runs in its package, which has a lock file of its own where it was installed from a registry.
    let locks = ["../../Cargo.lock", "Cargo.lock"];
    println!("cargo::rerun-if-changed={}", locks[0]);
    let lock = locks.into_iter().find_map(|lock| std::fs::read_to_string(lock).ok()).unwrap_or_default();
    let burn = lock.split("[[package]]").find(|package| package.contains("\nname = \"burn\"\n"));
    let version = burn.and_then(|package| package.split("version = \"").nth(1)?.split('"').next());
    println!("cargo::rustc-env=ATTENTIVE_BURN_VERSION={}", version.unwrap_or("unknown"));
}
