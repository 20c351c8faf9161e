//! Places that are not what a command expects: directories that vanish, streams that nobody reads, names of every kind,
//! homes that are missing.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use super::disk::assert_refused;
use super::{Case, Ended, Model, Process, in_shell, tell};
use crate::directory::{Finished, setup, tree, with_data};

/// Stops a run after its first checkpoint, does this, and lets it go on.
fn meanwhile(case: &Case, run: &str, action: impl Fn()) -> Finished {
    for _ in 0..20 {
        case.clear(run);
        let mut process: Process = case.start(&case.train(run));
        assert!(process.wait_for("saved `"));
        process.signal(&["STOP"]);
        // A signal is delivered when the process next runs, so what is said by then may still be said.
        let is_early = !process.said().contains("epoch 2/2");
        if is_early {
            action();
        }
        process.signal(&["CONT"]);
        let Ended { status, stderr } = process.wait();
        if is_early {
            return Finished { code: status.code(), stdout: String::new(), stderr };
        }
    }
    panic!("the run was always done before it was stopped");
}

/// The run that was is gone or elsewhere; what stands in its place is not touched.
#[test]
fn a_run_directory_that_goes_away() {
    let case = Case::new("gone", Model::Reference);
    let path = case.dir.path("runs/busy");
    let aside = case.dir.path("runs/aside");
    case.dir.ok("train small.toml --run-dir runs/other --set seed=8 --set train.epochs=1");
    let other = case.dir.path("runs/other");
    let before = tree(&other);
    let actions: [(&str, &dyn Fn()); 4] = [
        ("removed", &|| fs::remove_dir_all(&path).unwrap()),
        ("replaced by a file", &|| {
            fs::rename(&path, &aside).unwrap();
            fs::write(&path, "a file").unwrap();
        }),
        ("replaced by an empty directory", &|| {
            fs::rename(&path, &aside).unwrap();
            fs::create_dir(&path).unwrap();
        }),
        ("replaced by another run", &|| {
            fs::rename(&path, &aside).unwrap();
            fs::rename(&other, &path).unwrap();
        }),
    ];
    for (what, action) in actions {
        let finished = meanwhile(&case, "runs/busy", action);
        assert_refused(&finished, "runs/busy", what);
        match what {
            "removed" => assert!(!path.exists(), "{what}: something came back: {:?}", case.dir.list("runs/busy")),
            "replaced by a file" => {
                assert_eq!(fs::read(&path).unwrap(), b"a file");
                fs::remove_file(&path).unwrap();
            }
            "replaced by an empty directory" => {
                assert!(tree(&path).is_empty(), "{what}: {:?}", tree(&path).keys());
                fs::remove_dir(&path).unwrap();
            }
            _ => {
                assert!(tree(&path) == before, "{what}: the other run was written to");
                fs::rename(&path, &other).unwrap();
            }
        }
        if aside.exists() {
            case.finish("runs/aside");
        }
    }
    tell(
        "a run directory removed, replaced by a file, by an empty directory, by another run: exit 74, the rest untouched",
    );
}

/// Nobody reads what training says or shows: the run is the same.
#[test]
fn streams_that_end_nowhere() {
    let case = Case::new("streams", Model::Reference);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let runs: [(&str, Stdio, Stdio, i32); 4] = [
        ("stderr is full", Stdio::null(), full(), 0),
        ("stderr is a closed pipe", Stdio::null(), closed(), 0),
        ("stdout is a closed pipe", closed(), Stdio::piped(), 0),
        ("stdout is full", full(), Stdio::piped(), 74),
    ];
    for (what, stdout, stderr, code) in runs {
        let mut command = case.dir.command(case.train("runs/unheard").split_whitespace());
        let finished = Finished::of(command.stdout(stdout).stderr(stderr).spawn().unwrap().wait_with_output().unwrap());
        let finished = finished.expect(code, what);
        assert_eq!(finished.error().is_empty(), code == 0, "{what}: {}", finished.stderr);
        // The results are in the run, whoever heard of them.
        case.is_whole("runs/unheard");
        case.clear("runs/unheard");
    }
    tell("stdout and stderr full or closed: the run is the same");
}

/// Spaces, quotes, letters of every script, bytes that are no text, and the longest name there can be.
#[test]
fn names_of_every_kind() {
    let dir = with_data("names", 2);
    let longest = "n".repeat(255);
    let mut names: Vec<OsString> =
        ["with space", "it's \"quoted\"", "-dash", "ünïcødé 数据", "new\nline", &longest].map(OsString::from).into();
    if cfg!(target_os = "linux") {
        names.push(OsStr::from_bytes(b"not \xFFutf-8").to_owned());
    }
    fs::create_dir(dir.path("out")).unwrap();
    let run = |arguments: &[&OsStr]| Finished::of(dir.command(arguments).output().unwrap());
    for name in &names {
        let place = Path::new("runs").join(name);
        let place = place.as_os_str();
        let words = |line: &'static str| line.split(' ').map(OsStr::new).collect::<Vec<_>>();
        run(&[words("train small.toml --run-dir"), vec![place]].concat()).expect(0, "train");
        for line in ["resume", "evaluate", "inspect", "tokenize"] {
            let texts: &[&OsStr] = if line == "tokenize" { &[OsStr::new("film")] } else { &[] };
            run(&[words(line), vec![place], texts.to_vec()].concat()).expect(0, line);
        }
        let output = Path::new("out").join(name);
        let predict = [words("predict"), vec![place], words("--input test.csv --output"), vec![output.as_os_str()]];
        run(&predict.concat()).expect(0, "predict");
        assert!(fs::metadata(dir.path(&output)).unwrap().len() > 0, "{name:?}");
    }
    // The data of a config may have such names too, but for what TOML cannot hold.
    fs::create_dir(dir.path("with space")).unwrap();
    fs::copy(dir.path("train.csv"), dir.path("with space/数据.csv")).unwrap();
    run(&["train", "small.toml", "--run-dir", "runs/data", "--set", "data.train=\"with space/数据.csv\""]
        .map(OsStr::new))
    .expect(0, "train");

    let too_long = format!("runs/{}", "n".repeat(256));
    for line in
        [format!("train small.toml --run-dir {too_long}"), format!("predict runs/data text --output {too_long}")]
    {
        assert_refused(&dir.run(&line), "caused by: File name too long (os error 36)", &line);
    }
}

/// A corpus that is too large for memory goes to the cache, wherever that is.
#[test]
fn homes_that_are_missing_or_closed() {
    let dir = setup("homes");
    let text = "a great film that was lovely and fine ".repeat(220);
    let rows = (0..2200).map(|i| format!("{text}{i},{}\n", ["good", "bad"][i % 2]));
    dir.file("train.csv", rows.fold("text,label\n".to_string(), |csv, row| csv + &row));
    dir.file(
        "small.toml",
        "[data]\ntrain = \"train.csv\"\nvalidation = { fraction = 0.1 }\n[model]\nmax_length = 4\nembedding = { dim = 4 }\n[train]\n\
         epochs = 1\nbatch_size = 512\n",
    );
    fs::create_dir(dir.path("tmp")).unwrap();
    let train = |run: &str, home: Option<&str>, cache: Option<&str>| {
        let mut command = dir.command(["train", "small.toml", "--run-dir", run]);
        command.env("TMPDIR", dir.path("tmp"));
        for (name, value) in [("HOME", home), ("XDG_CACHE_HOME", cache)] {
            match value {
                Some(value) => command.env(name, dir.path(value)),
                None => command.env_remove(name),
            };
        }
        Finished::of(command.output().unwrap())
    };
    train("runs/none", None, None).expect(0, "no home");
    assert_eq!(dir.list("tmp"), ["attentive"], "without a home, the directory for temporary files");
    train("runs/home", Some("home"), None).expect(0, "a home that is not there is made");
    assert!(dir.path("home/.cache/attentive").is_dir());
    dir.file("closed", "a file where the home should be");
    for (home, cache) in [(Some("/proc"), None), (Some("closed"), None), (Some("home"), Some("/proc/cache"))] {
        let refused = train("runs/closed", home, cache);
        assert_refused(&refused, "caused by: ", &format!("{home:?} {cache:?}"));
        assert!(refused.error().contains("set `XDG_CACHE_HOME` to a directory with room"), "{}", refused.error());
        assert!(!dir.path("runs/closed").exists(), "nothing is created before the data is ready");
    }
    // What fits in memory needs no home.
    let dir = with_data("homeless", 2);
    let mut command = dir.command(["train", "small.toml"]);
    Finished::of(command.env("HOME", "/proc").env_remove("XDG_CACHE_HOME").output().unwrap()).expect(0, "small data");
}

/// What a run writes is for no one else where the user says so.
#[test]
fn a_umask_is_obeyed() {
    let dir = with_data("umask", 2);
    for (umask, forbidden) in [("077", 0o077), ("027", 0o027)] {
        for line in ["train small.toml --overwrite", "predict runs/small --input test.csv --output runs/out.csv"] {
            let command = dir.command(line.split_whitespace());
            let mut shell = in_shell(&command, &format!("umask {umask}"));
            Finished::of(shell.output().unwrap()).expect(0, line);
        }
        let mut folders = vec![dir.path("runs")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).chain([folder.clone()]) {
                let metadata = fs::metadata(&entry).unwrap();
                assert_eq!(metadata.mode() & forbidden, 0, "umask {umask}: {} {:o}", entry.display(), metadata.mode());
                if metadata.is_dir() && entry != folder {
                    folders.push(entry);
                }
            }
        }
        fs::remove_dir_all(dir.path("runs")).unwrap();
    }
}
