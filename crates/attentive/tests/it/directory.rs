//! A directory for one test, the command run in it, and the small data that tests train on.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use temp_dir::TempDir;

/// A CPU backend of this build.
pub(crate) const CPU: &str = if cfg!(feature = "flex") { "flex" } else { "ndarray" };

/// A config of the reference model's shape, small; tests change it by `--set`.
pub(crate) const CONFIG: &str = r#"
seed = 7

[data]
train = "train.csv"
validation = "validation.csv"
test = "test.csv"

[model]
max_length = 16
embedding = { dim = 8 }

[train]
epochs = 2
batch_size = 8
log_every = 3
optimizer.adam = { learning_rate = 0.05 }
"#;

/// A directory that goes away with the test.
pub(crate) struct Dir {
    folder: TempDir,
}

/// An empty directory for the test of this name.
pub(crate) fn setup(name: &str) -> Dir {
    Dir { folder: temp_dir::TempDir::with_prefix(format!("attentive-{name}-")).unwrap() }
}

/// A directory with data of so many labels, split three ways, and [`CONFIG`] as `small.toml`.
pub(crate) fn with_data(name: &str, labels: usize) -> Dir {
    let dir = setup(name);
    dir.file("train.csv", reviews(48, labels, 1));
    dir.file("validation.csv", reviews(18, labels, 2));
    dir.file("test.csv", reviews(18, labels, 3));
    dir.file("small.toml", CONFIG);
    dir
}

impl Dir {
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn json(&self, name: impl AsRef<Path>) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// The names in a directory, in order.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command with these arguments, in this directory.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attentive"));
        // Without a runtime directory, Mesa's graphics libraries complain on stderr.
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the command; the words of `line` are its arguments.
    pub(crate) fn run(&self, line: &str) -> Finished {
        Finished::of(self.command(line.split_whitespace()).output().unwrap())
    }

    /// Runs the command and gives what it printed; it must succeed.
    pub(crate) fn ok(&self, line: &str) -> String {
        self.run(line).expect(0, line).stdout
    }

    /// Runs the command with this text on stdin.
    pub(crate) fn pipe(&self, line: &str, input: impl AsRef<[u8]>) -> Finished {
        let mut command = self.command(line.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.as_ref().to_vec();
        // A command that stops reading early is no failure of the test.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Finished::of(output)
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32, what: &str) -> Self {
        assert_eq!(self.code, Some(code), "`{what}` said\n{}{}", self.stdout, self.stderr);
        self
    }

    /// The error alone, without what was told of the training before it.
    pub(crate) fn error(&self) -> &str {
        self.stderr.find("error: ").map_or("", |start| &self.stderr[start..])
    }
}

/// A csv file of labelled texts whose words give the label away; the numbers in them differ from example to example.
pub(crate) fn reviews(n: usize, labels: usize, seed: u64) -> String {
    const WORDS: [(&str, [&str; 3]); 3] = [
        ("bad", ["awful", "dull", "poor"]),
        ("good", ["great", "fine", "lovely"]),
        ("mixed", ["uneven", "average", "so-so"]),
    ];
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut csv = "text,label\n".to_string();
    for i in 0..n {
        let (label, words) = WORDS[i % labels];
        let mut text = format!("film {seed}{i}");
        for _ in 0..3 + draw(6) {
            text.push_str(&format!(" {}", ["the", "a", "was", "it", "and"][draw(5) as usize]));
            if draw(2) == 0 {
                text.push_str(&format!(" {}", words[draw(3) as usize]));
            }
        }
        csv.push_str(&format!("{text} {},{label}\n", words[draw(3) as usize]));
    }
    csv
}

/// Every file below a directory with its bytes.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_path_buf();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..")
}
