//! No room: limits on the size of a file, and disks that fill up in every phase. What is on disk by then is whole, and the
//! run goes on from there once there is room.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Case, Model, in_shell, is_full, tell};
use crate::directory::Finished;

/// A refusal that a person can do something about: exit 74, what could not be done, why, and what to do.
#[track_caller]
pub(super) fn assert_refused(finished: &Finished, why: &str, what: &str) {
    let error = finished.error();
    assert_eq!(finished.code, Some(74), "{what}: {}", finished.stderr);
    assert!(!error.contains("a bug") && error.contains(why), "{what}: {}", finished.stderr);
    let hint = error.split("\n\nhint: ").nth(1).unwrap_or_else(|| panic!("{what}: no hint\n{error}"));
    assert!(hint.ends_with('\n') && hint.len() > 10, "{what}: {error}");
}

/// After a refusal the run has intact checkpoints or none, and goes on to the end of an undisturbed one. Gives whether it
/// had one.
#[track_caller]
pub(super) fn goes_on(case: &Case, run: &str) -> bool {
    let checkpoints = format!("{run}/checkpoints");
    let has_checkpoint = case.dir.path(&checkpoints).is_dir()
        && case.dir.list(&checkpoints).iter().any(|name| name.starts_with("step-"));
    if case.dir.path(run).join("config.toml").exists() {
        let read = case.dir.run(&format!("predict {run} text"));
        assert_eq!(read.code, Some(if has_checkpoint { 0 } else { 66 }), "{}", read.stderr);
    } else {
        assert!(!has_checkpoint);
    }
    case.finish(run);
    has_checkpoint
}

/// `RLIMIT_FSIZE` refuses what goes beyond it, as a full disk does.
#[test]
fn a_file_that_may_not_grow() {
    let case = Case::new("file-limit", Model::Reference);
    let size = |name: &str| case.dir.read(format!("{}/{name}", super::WHOLE)).len() / 512;
    let newest = "checkpoints/step-0000000160";
    let files =
        ["tokenizer.json", "metrics.jsonl", &format!("{newest}/model.safetensors"), &format!("{newest}/optimizer.bpk")];
    // One block less than a file has, so that each of them is the first that is refused.
    let mut limits: Vec<usize> = files.iter().map(|name| size(name)).collect();
    if is_full() {
        limits.extend([2, 8, 512]);
        limits.extend((0..20).map(|n| 1 + n * size(files[3]) / 18));
    }
    let (mut refused, mut with_checkpoint) = (0, 0);
    for limit in limits {
        for line in ["train small.toml --run-dir runs/cut", "resume runs/cut"] {
            if line.starts_with("resume") {
                // Cut off after the first checkpoint, so that there is something to go on with.
                let mut process = case.start(&case.train("runs/cut"));
                assert!(process.wait_for("saved `"));
                process.child.kill().unwrap();
                process.wait();
            }
            let command = case.dir.command(line.split_whitespace());
            let finished = Finished::of(in_shell(&command, &format!("ulimit -f {limit}")).output().unwrap());
            let what = format!("{line}, {limit} blocks");
            if finished.code == Some(0) {
                case.is_whole("runs/cut");
                case.clear("runs/cut");
                continue;
            }
            assert_refused(&finished, "caused by: File too large (os error 27)", &what);
            refused += 1;
            with_checkpoint += usize::from(goes_on(&case, "runs/cut"));
        }
    }
    tell(&format!(
        "RLIMIT_FSIZE: {refused} refusals, {with_checkpoint} with an older checkpoint, which loads; exit 74 with a hint; \
         gone on with, all bit-identical"
    ));
}

/// Mounts a tmpfs of `$2` KiB on `$1` where only this process sees it, trains in it, and copies what is there to `$3`.
const SMALL_DISK: &str = r#"
mount -t tmpfs -o size="$2"k none "$1" || exit 99
"$0" train small.toml --run-dir "$1"/run -q
code=$?
cp -a "$1"/run "$3"
exit $code
"#;

/// As above, but the disk is large, and filled up to `$2` KiB after the first checkpoint. Exit 98: the run was done by then.
const FILLED_DISK: &str = r#"
mount -t tmpfs -o size=16m none "$1" || exit 99
: >"$3.stderr"
"$0" train small.toml --run-dir "$1"/run --verbose 2>>"$3.stderr" &
until grep -q 'saved `' "$3.stderr"; do kill -0 $! || break; done
kill -STOP $!
dd if=/dev/zero of="$1"/filler bs=1k 2>/dev/null
truncate -s -"$2"K "$1"/filler
late=$(grep -c 'epoch 2/2  loss' "$3.stderr")
kill -CONT $!
wait $!
code=$?
cp -a "$1"/run "$3"
cat "$3.stderr" >&2
[ "$late" = 0 ] || exit 98
exit $code
"#;

/// Runs a script in namespaces of its own, in which this user may mount; what it mounts goes away with it.
fn with_mounts(case: &Case, script: &str, arguments: &[&str]) -> Finished {
    let attentive = case.dir.command([""; 0]);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).arg(attentive.get_program()).args(arguments);
    command.current_dir(attentive.get_current_dir().unwrap());
    Finished::of(command.output().unwrap())
}

/// Whether this machine lets a user mount in a namespace, and tells the reason if not.
pub(super) fn can_mount(at: &Path) -> bool {
    let line = "mount -t tmpfs -o size=64k none \"$0\"";
    let tried = Command::new("unshare").args(["-rm", "sh", "-c", line]).arg(at).output();
    let reason = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_string(),
        Err(error) => error.to_string(),
    };
    eprintln!("skipped: nothing can be mounted here: {reason}");
    false
}

#[test]
fn a_disk_that_fills_up() {
    let case = Case::new("full-disk", Model::Reference);
    fs::create_dir(case.dir.path("disk")).unwrap();
    if !can_mount(&case.dir.path("disk")) {
        return;
    }
    // What a checkpoint takes is about 500 KiB, so these end in each of its files, and in those beside it.
    let left: &[u32] = match is_full() {
        true => &[0, 4, 8, 12, 16, 24, 32, 64, 96, 128, 160, 164, 168, 200, 256, 320, 400, 480, 492, 500],
        false => &[0, 16, 168, 480],
    };
    let sizes: &[u32] = match is_full() {
        true => &[4, 8, 16, 32, 40, 48, 56, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048],
        false => &[48, 1024],
    };
    let (mut refused, mut with_checkpoint, mut enough) = (0, 0, 0);
    for (script, sizes) in [(FILLED_DISK, left), (SMALL_DISK, sizes)] {
        for size in sizes {
            let size = size.to_string();
            let finished = (0..20)
                .find_map(|_| {
                    case.clear("runs/cut");
                    let finished = with_mounts(&case, script, &["disk", &size, "runs/cut"]);
                    (finished.code != Some(98)).then_some(finished)
                })
                .expect("the disk is filled before the run is done");
            if finished.code == Some(0) {
                case.is_whole("runs/cut");
                case.clear("runs/cut");
                enough += 1;
                continue;
            }
            assert_refused(&finished, "", &format!("{size} KiB"));
            refused += 1;
            with_checkpoint += usize::from(goes_on(&case, "runs/cut"));
        }
    }
    tell(&format!(
        "full tmpfs: {} sizes, {refused} refusals, {with_checkpoint} with an older checkpoint, which loads; exit 74 with a \
         hint; {enough} had room enough; gone on with, all bit-identical",
        refused + enough
    ));
}

/// Mounts what a run is in for reading only, and runs the rest of the arguments.
const READ_ONLY: &str = r#"
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
shift
exec "$0" "$@"
"#;

#[test]
fn a_disk_that_cannot_be_written_to() {
    let case = Case::new("read-only", Model::Reference);
    if !can_mount(&case.dir.path("runs")) {
        return;
    }
    let mut process = case.start(&case.train("runs/cut"));
    assert!(process.wait_for("saved `"));
    process.child.kill().unwrap();
    process.wait();
    let with = |line: &str| {
        let arguments: Vec<_> = std::iter::once("runs").chain(line.split_whitespace()).collect();
        with_mounts(&case, READ_ONLY, &arguments)
    };
    for line in [
        "train small.toml --run-dir runs/new",
        "train small.toml --run-dir runs/whole --overwrite",
        "resume runs/cut",
        "predict runs/whole text --output runs/out.csv",
    ] {
        assert_refused(&with(line), "caused by: Read-only file system (os error 30)", line);
    }
    // What only reads does not mind.
    assert_eq!(with("predict runs/whole --input test.csv --json").stdout, case.predictions);
    for line in ["evaluate runs/whole", "inspect runs/whole"] {
        with(line).expect(0, line);
    }
    case.finish("runs/cut");
    case.is_whole(super::WHOLE);
}
