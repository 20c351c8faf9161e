//! What the command touches: nothing is written outside the run, the output and the cache, no socket is opened, and settings
//! of the libraries below that lie in the working directory or above it change nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::directory::{CPU, Dir, Finished, tree, with_data};

/// Settings that would have the libraries print, write logs beside the data, and keep caches there.
const LOUD: &str = r#"
[autodiff.logger]
level = "full"
file = "burn.log"
stdout = true
stderr = true

[fusion.logger]
level = "full"
file = "burn.log"
stdout = true
stderr = true

[cubecl.compilation]
cache = true
logger = { level = "full", file = "cubecl.log", stdout = true, stderr = true }

[cubecl.autotune]
level = "full"
logger = { level = "full", file = "cubecl.log", stdout = true, stderr = true }
decisions = { file = "decisions.log", stdout = true, stderr = true }

[cubecl.profiling]
logger = { level = "full", file = "cubecl.log", stdout = true, stderr = true }

[cubecl.environment]
name = "planted"
path = "local"
"#;

/// The same settings as CubeCL reads them from a file of its own.
fn loud_cubecl() -> String {
    LOUD[LOUD.find("[cubecl").unwrap()..].replace("[cubecl.", "[")
}

/// What a training in `inner`, a directory with these files in it and above it, says and leaves behind. The run is
/// quiet, so that times are not told.
fn trained(name: &str, backend: &str, planted: &[(&str, &str)]) -> (Finished, BTreeSet<PathBuf>, Dir) {
    let dir = with_data(name, 2);
    fs::create_dir(dir.path("inner")).unwrap();
    for file in ["train.csv", "validation.csv", "test.csv", "small.toml"] {
        fs::rename(dir.path(file), dir.path("inner").join(file)).unwrap();
    }
    for (file, content) in planted {
        dir.file(file, content);
        dir.file(&format!("inner/{file}"), content);
    }
    let mut command = dir.command(["train", "small.toml", "--quiet", "--backend", backend]);
    let output = command.current_dir(dir.path("inner")).env("HOME", dir.path("home")).output().unwrap();
    let files = tree(&dir.path("")).into_keys().filter(|file| !planted.iter().any(|(name, _)| file.ends_with(name)));
    let files = files.filter(|file| !file.starts_with("inner/runs") && !file.starts_with("home")).collect();
    (Finished::of(output).expect(0, name), files, dir)
}

/// Trains with and without the planted files, which must make no difference.
fn assert_no_difference(backend: &str) {
    let (plain, files, dir) = trained("unplanted", backend, &[]);
    let cubecl = loud_cubecl();
    let wrong_types = "autodiff = 3\nfusion = \"x\"\n[cubecl]\nautotune = []\n";
    for planted in [
        vec![("burn.toml", LOUD)],
        vec![("Burn.toml", LOUD), ("cubecl.toml", &cubecl)],
        vec![("CubeCL.toml", &cubecl)],
        vec![("burn.toml", "[[["), ("cubecl.toml", "\0")],
        vec![("burn.toml", wrong_types), ("cubecl.toml", "autotune = []\n")],
    ] {
        let (loud, loud_files, loud_dir) = trained("planted", backend, &planted);
        assert_eq!((loud.stdout, loud.stderr), (plain.stdout.clone(), plain.stderr.clone()), "{planted:?}");
        assert_eq!(loud_files, files, "{planted:?}");
        let run = |dir: &Dir| {
            let mut files = tree(&dir.path("inner/runs"));
            files.remove(Path::new("small/lock")); // the number of the process
            files
        };
        let (run, loud_run) = (run(&dir), run(&loud_dir));
        assert!(loud_run.keys().eq(run.keys()), "{planted:?}");
        if backend == CPU {
            let differing: Vec<_> = run.iter().filter(|(name, bytes)| loud_run[*name] != **bytes).collect();
            assert!(differing.is_empty(), "{planted:?} changes {:?}", differing.iter().map(|(name, _)| name));
        }
    }
}

#[test]
fn settings_of_libraries_in_the_working_directory_change_nothing() {
    assert_no_difference(CPU);
}

/// The values are not compared: a GPU does not promise the same bits twice.
#[test]
fn nor_do_they_on_a_gpu() {
    let dir = with_data("has-gpu", 2);
    let devices = dir.ok("devices");
    let wgpu = devices.lines().find(|line| line.starts_with("wgpu")).unwrap_or_default();
    if wgpu.split_whitespace().any(|word| word == "no" || word == "not") {
        return println!("skipped: there is no device for wgpu: {wgpu}");
    }
    assert_no_difference("wgpu");
}

/// Runs a command under strace and gives the system calls that succeeded, one a line with the names of open files; none
/// where there is no strace or it may not trace.
fn traced(dir: &Dir, line: &str) -> Option<Vec<String>> {
    let mut strace = Command::new("strace");
    let works = strace.args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success());
    if !works {
        return None;
    }
    let plain = dir.command(line.split_whitespace());
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-y",
        "-qq",
        "-s",
        "4096",
        "-e",
        "trace=%file,%network,ftruncate",
        "-e",
        "status=successful",
        "-o",
        "trace",
    ]);
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(dir.path(""));
    command.env("XDG_CACHE_HOME", dir.path("cache")).env("HOME", dir.path("home")).env("XDG_RUNTIME_DIR", dir.path(""));
    Finished::of(command.output().unwrap()).expect(0, line);
    let trace = dir.text("trace");
    Some(
        trace.lines().map(|line| line.split_once(' ').map_or(line, |(_, call)| call.trim_start()).to_owned()).collect(),
    )
}

/// The path in quotes that comes `nth` among those of a call, below the directory that the call names, made plain.
fn path_of(call: &str, nth: usize, working_directory: &Path) -> PathBuf {
    let written = call.split('"').nth(2 * nth + 1).unwrap_or_default();
    // `openat(5</some/directory>, "name", …)`
    let base = call.split('"').nth(2 * nth).and_then(|before| before.rsplit_once('<')?.1.split_once('>'));
    let base = base.map_or(working_directory, |(base, _)| Path::new(base));
    let mut plain = PathBuf::new();
    for component in base.join(written).components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The paths that the calls change: files opened for writing, and names made, changed and removed.
fn changed(calls: &[String], working_directory: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    for call in calls {
        let name = call.split('(').next().unwrap_or_default();
        let path = |nth| path_of(call, nth, working_directory);
        match name {
            "open" | "openat" | "openat2"
                if ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"].iter().any(|flag| call.contains(flag)) =>
            {
                paths.insert(path(0));
            }
            "creat" | "mkdir" | "mkdirat" | "mknod" | "mknodat" | "unlink" | "unlinkat" | "rmdir" | "truncate"
            | "chmod" | "fchmodat" | "chown" | "lchown" | "fchownat" | "utimensat" | "setxattr" | "removexattr" => {
                paths.insert(path(0));
            }
            "rename" | "renameat" | "renameat2" | "link" | "linkat" | "symlink" | "symlinkat" => {
                paths.extend([path(0), path(1)]);
            }
            _ => {}
        }
    }
    paths
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_elsewhere_and_no_socket_is_opened() {
    let dir = with_data("traced", 2);
    // Enough text that it goes to a scratch file, and its ids to the cache.
    let long = "the film was what a film is ".repeat(100);
    let rows: String = (0..8000).map(|i| format!("{long}{i},{}\n", ["bad", "good"][i % 2])).collect();
    dir.file("long.csv", format!("text,label\n{rows}"));
    let here = fs::canonicalize(dir.path("")).unwrap();
    for (line, output) in [
        (format!("train small.toml --run-dir elsewhere/run --backend {CPU}"), None),
        (
            format!(
                "train small.toml --run-dir elsewhere/long --backend {CPU} --set data.train=\"long.csv\" --set train.epochs=1 --set train.batch_size=512"
            ),
            None,
        ),
        (
            format!("predict elsewhere/run --input test.csv --output predictions.csv --backend {CPU}"),
            Some("predictions.csv"),
        ),
        (format!("predict elsewhere/run great --backend {CPU}"), None),
        (format!("evaluate elsewhere/run --backend {CPU}"), None),
        ("check small.toml".to_owned(), None),
    ] {
        let Some(calls) = traced(&dir, &line) else {
            return println!("skipped: there is no strace here, or it may not trace");
        };
        assert!(calls.len() > 40, "`{line}` made {} calls", calls.len());
        let changed = changed(&calls, &here);
        let allowed = |path: &Path| {
            let inside = |folder: &str| path.starts_with(here.join(folder));
            // Until it is complete, the output has a temporary name beside its own.
            let name = path.strip_prefix(&here).unwrap_or(path).to_string_lossy();
            let is_output = output.is_some_and(|output| name == output || name.starts_with(&format!(".tmp-{output}-")));
            (line.starts_with("train") && inside("elsewhere"))
                || inside("cache")
                || is_output
                || path == Path::new("/dev/null")
        };
        let elsewhere: Vec<_> = changed.iter().filter(|path| !allowed(path)).collect();
        assert!(elsewhere.is_empty(), "`{line}` writes {elsewhere:?}");
        if line.starts_with("train") {
            assert!(changed.iter().any(|path| path.ends_with("metrics.jsonl")), "{changed:?}");
        }
        let sockets: Vec<_> = calls
            .iter()
            .filter(|call| ["socket(", "connect(", "bind("].iter().any(|name| call.starts_with(name)))
            .collect();
        assert!(sockets.is_empty(), "`{line}` opens {sockets:?}");
    }
    let cached = fs::read_dir(dir.path("cache/attentive")).is_ok_and(|entries| entries.count() > 0);
    assert!(cached, "nothing large enough was encoded to see where the cache is");
    assert!(!dir.path("home").exists());
}
