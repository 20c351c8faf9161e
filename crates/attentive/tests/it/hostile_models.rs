//! Runs and bundles that came from someone who means harm: every file of a small one replaced by one that is made to break what
//! reads it, with all hashes right, so that the parsers see it. Each is tried by the commands that read it: no panic, little
//! memory, no waiting, the exit code and the name of the file, and nothing written outside the run.
//!
//! That damage is noticed by the hashes is tested elsewhere.

mod bundle;
mod burnpack;
mod loop_state;
mod manifest;
mod run_files;
mod safetensors;
mod special_files;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::directory::{CONFIG, CPU, Dir, with_data};
use crate::limited::limited;

/// The step of the only checkpoint, after the first of two epochs.
const STEP: u64 = 6;

/// A file made to do harm.
pub(crate) struct Case {
    /// What is wrong.
    name: String,
    /// Makes it so.
    change: Box<dyn Fn(&Run) + Send + Sync>,
    /// The exit codes that `predict` and `evaluate` may have.
    predict: Vec<i32>,
    /// Those that `resume` may have.
    resume: Vec<i32>,
    /// What a message must hold: the name of the file, or what is wrong with it.
    told: &'static str,
}

/// A case that every command refuses with the code for bad data.
fn refused(name: impl Into<String>, told: &'static str, change: impl Fn(&Run) + Send + Sync + 'static) -> Case {
    Case { name: name.into(), change: Box::new(change), predict: vec![65], resume: vec![65], told }
}

impl Case {
    /// The same case where `predict` and `evaluate` do not read the file.
    fn only_resume(self) -> Self {
        Self { predict: vec![0], ..self }
    }

    fn codes(self, predict: &[i32], resume: &[i32]) -> Self {
        Self { predict: predict.to_vec(), resume: resume.to_vec(), ..self }
    }
}

/// A run or a bundle that a case changes.
pub(crate) struct Run {
    path: PathBuf,
    is_bundle: bool,
}

impl Run {
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the weights are.
    fn checkpoint(&self) -> PathBuf {
        if self.is_bundle { self.path.clone() } else { self.path.join(format!("checkpoints/step-{STEP:010}")) }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.checkpoint().join(name)).unwrap()
    }

    fn manifest(&self) -> Value {
        let text = String::from_utf8(self.read("MANIFEST.json")).unwrap();
        if self.is_bundle {
            let mut manifest: Value = serde_json::from_str(&text).unwrap();
            manifest.as_object_mut().unwrap().shift_remove("sha256");
            return manifest;
        }
        let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Replaces the manifest by this text and its hash.
    fn write_manifest(&self, body: &[u8]) {
        let text = if self.is_bundle {
            let open = [body.strip_suffix(b"}").unwrap_or(body), b",\n  \"sha256\": \""].concat();
            [open.as_slice(), format!("{}\"\n}}\n", sha256(&open)).as_bytes()].concat()
        } else {
            [body, format!("\n{}\n", sha256(body)).as_bytes()].concat()
        };
        fs::write(self.checkpoint().join("MANIFEST.json"), text).unwrap();
    }

    /// Replaces a file of the checkpoint or bundle, and what the manifest and the state say of it.
    fn replace(&self, name: &str, bytes: &[u8]) {
        if name == "model.safetensors" && !self.is_bundle {
            self.state(|state| state["selection"]["best"][0]["weights_sha256"] = json!(sha256(bytes)));
        }
        fs::write(self.checkpoint().join(name), bytes).unwrap();
        let mut manifest = self.manifest();
        manifest["files"][name] = json!({ "bytes": bytes.len(), "sha256": sha256(bytes) });
        self.write_manifest(manifest.to_string().as_bytes());
    }

    /// Changes `state.json`.
    fn state(&self, change: impl FnOnce(&mut Value)) {
        let mut state: Value = serde_json::from_slice(&self.read("state.json")).unwrap();
        change(&mut state);
        self.replace("state.json", state.to_string().as_bytes());
    }

    /// Has the checkpoint say that it was made from these bytes, or the bundle that it holds them.
    fn made_from(&self, what: &str, bytes: &[u8]) {
        let mut manifest = self.manifest();
        if self.is_bundle {
            let name = format!("{what}.json");
            manifest["files"][name] = json!({ "bytes": bytes.len(), "sha256": sha256(bytes) });
        } else {
            manifest["origin"][what] = json!(sha256(bytes));
        }
        self.write_manifest(manifest.to_string().as_bytes());
    }
}

/// A run that stands after its first epoch, with its data.
fn trained() -> Dir {
    let dir = with_data("hostile", 2);
    dir.file("small.toml", format!("backend = \"{CPU}\"\n{CONFIG}"));
    dir.ok("train small.toml --run-dir run");
    fs::remove_dir_all(dir.path(format!("run/checkpoints/step-{:010}", 2 * STEP))).unwrap();
    fs::remove_file(dir.path("run/report.json")).unwrap();
    dir
}

/// As the manifest has it.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

const DATA: [&str; 3] = ["train.csv", "validation.csv", "test.csv"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What `verify` may come to: it finds something or not, or refuses as the other commands do.
const VERIFY: [i32; 5] = [0, 2, 65, 66, 74];

/// What is wrong with how the commands take a case of `of`, a run or a bundle.
fn try_case(case: &Case, base: &Dir, of: &str, directory: &Path) -> Vec<String> {
    let is_bundle = of == "bundle";
    let mut wrong = Vec::new();
    for (arguments, codes, told_by) in [
        (&["predict", "run", "a great film"][..], case.predict.as_slice(), case.told),
        (
            if is_bundle { &["evaluate", "run", "--data", "test.csv"] } else { &["evaluate", "run"] },
            &case.predict,
            case.told,
        ),
        (if is_bundle { &["inspect", "run"] } else { &["resume", "run", "--quiet"] }, &case.resume, case.told),
        (&["verify", "run", "--quiet", "--steps", "1"], &VERIFY, ""),
    ] {
        let here = directory.join(arguments[0]);
        copy(&base.path(of), &here.join("run"));
        for file in DATA {
            fs::copy(base.path(file), here.join(file)).unwrap();
        }
        let changed = Run { path: here.join("run"), is_bundle };
        (case.change)(&changed);
        let (code, told) = limited(&here, arguments);
        let fits = code.is_some_and(|code| codes.contains(&code)) && (code == Some(0) || told.contains(told_by));
        let mut left: Vec<_> = fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.retain(|name| name != "cache");
        left.sort();
        let untouched = left == ["run", "test.csv", "train.csv", "validation.csv"]
            && DATA.iter().all(|file| fs::read(here.join(file)).unwrap() == base.read(file));
        if !fits || !untouched {
            let told: String = told.chars().take(600).collect();
            wrong.push(format!(
                "{}: `{}` ended with {code:?}, not {codes:?}, untouched: {untouched}, and said: {told}",
                case.name, arguments[0]
            ));
        }
    }
    // What a case left may be a pipe or a link, and some are large.
    fs::remove_dir_all(directory).unwrap();
    wrong
}

/// Tries all cases, four at a time, and tells what is wrong with all of them.
fn try_all(base: &Dir, of: &str, cases: &[Case]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    let found = try_case(case, base, of, &base.path(format!("case-{number}")));
                    wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn all(lists: impl IntoIterator<Item = Vec<Case>>) -> Vec<Case> {
    let cases: Vec<Case> = lists.into_iter().flatten().collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    cases
}

#[test]
fn crafted_model_files() {
    let cases = all([
        manifest::cases(),
        special_files::cases(),
        safetensors::cases(),
        burnpack::cases(),
        loop_state::cases(),
        run_files::cases(),
        loop_state::impossible(),
        special_files::endless(),
        run_files::renamed(),
    ]);
    assert!(cases.len() >= 100, "{} cases", cases.len());
    let base = trained();
    // The run itself works with so little memory, and what writes its files anew keeps it whole.
    let untouched = refused("untouched", "", |run| {
        for file in ["model.safetensors", "optimizer.bpk", "state.json"] {
            run.replace(file, &run.read(file));
        }
    });
    assert_eq!(try_case(&untouched.codes(&[0], &[0]), &base, "run", &base.path("untouched")), [""; 0]);
    try_all(&base, "run", &cases);
    println!("{} crafted model files", cases.len());
}

/// Earlier versions wrote the number of threads into every checkpoint. It decides nothing; another GPU may.
#[test]
fn a_run_resumes_whatever_number_of_threads_it_was_made_with() {
    let base = trained();
    let made_on = |device: &str| {
        let run = Run { path: base.path("run"), is_bundle: false };
        let mut manifest = run.manifest();
        manifest["origin"]["build"]["device"] = json!(device);
        run.write_manifest(manifest.to_string().as_bytes());
        base.run("resume run --quiet")
    };
    let told = made_on("NVIDIA L4").expect(65, "resume on another device").stderr;
    assert!(told.contains("build.device: was \"NVIDIA L4\", is not there"), "{told}");
    made_on("7 threads").expect(0, "resume with another number of threads");
}

#[test]
fn crafted_bundles() {
    let cases = all([bundle::cases(), safetensors::cases(), run_files::read_by_any()]);
    assert!(cases.len() >= 100, "{} cases", cases.len());
    let base = trained();
    base.ok("export run --format bundle --output bundle");
    let untouched = refused("untouched", "", |bundle| {
        for file in ["model.safetensors", "tokenizer.json", "labels.json", "examples.jsonl", "config.toml", "README.md"]
        {
            bundle.replace(file, &bundle.read(file));
        }
    });
    assert_eq!(try_case(&untouched.codes(&[0], &[0]), &base, "bundle", &base.path("untouched")), [""; 0]);
    try_all(&base, "bundle", &cases);
    println!("{} crafted bundles", cases.len());
}

/// A tokenizer that takes hours or all memory for a line of a megabyte, in a bundle with right hashes: every command refuses
/// it, or the line, with little memory and at once.
#[test]
fn tokenizers_that_are_bombs() {
    let base = trained();
    base.ok("export run --format bundle --output bundle");
    base.file("line.txt", "a".repeat(1_000_000));
    base.file("line.csv", format!("text,label\n{},bad\n", "a".repeat(1_000_000)));
    for (name, change, told) in bundle::bombs() {
        let here = base.path(format!("bomb-{name}"));
        copy(&base.path("bundle"), &here.join("run"));
        let bundle = Run { path: here.join("run"), is_bundle: true };
        let mut tokenizer: Value = serde_json::from_slice(&bundle.read("tokenizer.json")).unwrap();
        change(&mut tokenizer);
        bundle.replace("tokenizer.json", tokenizer.to_string().as_bytes());
        for arguments in
            [&["predict", "run", "--input", "../line.txt"][..], &["evaluate", "run", "--data", "../line.csv"]]
        {
            let (code, said) = limited(&here, arguments);
            assert!(code == Some(65) && said.contains(told), "{name}, {}: {code:?}, {said}", arguments[0]);
        }
    }
}
