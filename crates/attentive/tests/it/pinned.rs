//! The weights of small trainings of every kind, to the bit, as an earlier version trained them. The bits depend on the kind of
//! processor, so other kinds skip this.

use crate::directory::{Dir, repository, reviews, setup};

/// What is trained: what it shows, the arguments, the run whose weights are meant, and how their hash begins. The same commands
/// with the version of 2026-11-30 gave these on an AMD EPYC with AVX-512.
const PINNED: [(&str, &str, &str, &str); 9] = [
    ("the quickstart on flex", "QUICKSTART --backend flex", "run", "506f99131d78"),
    ("the quickstart on ndarray", "QUICKSTART --backend ndarray", "run", "e96f8913ffa8"),
    ("the reference model", "KERAS --backend flex", "run", "eb40f6aba55a"),
    ("pairs", "pairs.toml", "run", "4cb96e82339d"),
    ("several labels a text", "several.toml", "run", "8f53945de623"),
    ("folds", "small.toml --folds 2", "run/fold-2", "4ccd1dd07a92"),
    ("windows", "small.toml --set model.max_length=4 --set model.windows.stride=2", "run", "3f8084112a21"),
    (
        "n-grams with sparse Adam",
        "small.toml --set features.word_ngrams=2 --set features.buckets=256 --set train.optimizer.adam.sparse=true",
        "run",
        "7f5833bb79a1",
    ),
    ("moving averages", "small.toml --set train.ema=0.9", "run", "752a8fa8ca95"),
];

/// 60 reviews with two labels, as texts, as pairs with the next one, and with a list of labels.
fn data() -> Dir {
    let dir = setup("pinned");
    let csv = reviews(60, 2, 11);
    let rows: Vec<(&str, &str)> = csv.lines().skip(1).filter_map(|row| row.split_once(',')).collect();
    let pairs = rows.iter().zip(rows.iter().skip(1)).zip(0..);
    let pairs =
        pairs.map(|(((one, label), (two, _)), i)| format!("{one},{two},{}\n", if i % 3 == 0 { "odd" } else { label }));
    dir.file("pairs.csv", format!("one,two,label\n{}", pairs.collect::<String>()));
    let several = rows.iter().zip(0..).map(|((text, label), i)| match i % 3 {
        0 => format!("{text},{label};third\n"),
        _ => format!("{text},{label}\n"),
    });
    dir.file("several.csv", format!("text,label\n{}", several.collect::<String>()));
    dir.file("small.csv", &csv);
    let config = |name: &str, data: &str, model: &str| {
        let text = format!(
            "backend = \"flex\"\n[data]\ntrain = \"{name}.csv\"\nvalidation = {{ fraction = 0.2 }}\n{data}\n[model]\nmax_length = 12\n\
             embedding = {{ dim = 8 }}\n{model}\n[train]\nepochs = 2\nbatch_size = 8\noptimizer.adam = {{ learning_rate = 0.05 }}\n"
        );
        dir.file(&format!("{name}.toml"), text);
    };
    config("small", "", "");
    config("several", "multi_label = true\nlabel_separator = \";\"", "");
    config("pairs", "text = [\"one\", \"two\"]", "attention.bidirectional = {}");
    dir
}

#[test]
fn weights_are_those_of_an_earlier_version() {
    #[cfg(target_arch = "x86_64")]
    let is_of_this_kind = std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let is_of_this_kind = false;
    if !is_of_this_kind {
        return eprintln!("skipped: the bits of this kind of processor are not pinned");
    }
    let dir = data();
    let shipped = |name: &str| {
        let config = std::fs::read_to_string(repository().join(format!("configs/{name}.toml"))).unwrap();
        let place = repository().join("datasets").display().to_string();
        dir.file(&format!("{name}.toml"), config.replace("\"datasets/", &format!("\"{place}/")));
        format!("{name}.toml --set train.epochs=1")
    };
    let (quickstart, keras) = (shipped("quickstart"), shipped("keras"));
    let mut wrong = Vec::new();
    for (what, arguments, run, expected) in PINNED {
        let arguments = arguments.replace("QUICKSTART", &quickstart).replace("KERAS", &keras);
        dir.ok(&format!("train {arguments} --run-dir run --overwrite -q"));
        let hash = dir.json(format!("{run}/report.json"))["weights_sha256"].as_str().unwrap().to_string();
        std::fs::remove_dir_all(dir.path("run")).unwrap();
        if !hash.starts_with(expected) {
            wrong.push(format!("{what}: {}, not {expected}", &hash[..12]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
