//! Configs that cannot be used, each tried by a process of its own: exit code 2, the place and what is wrong there, little
//! memory, and nothing created. The words of the messages are tested with the config.

use std::collections::BTreeSet;

use crate::directory::with_data;
use crate::limited::limited;

/// What is told of a file that is no TOML.
const FILE: &str = "c.toml";

/// Files that are no config.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |text: &str, n: usize| text.repeat(n).into_bytes();
    vec![
        ("empty", Vec::new()),
        ("a byte order mark alone", "\u{FEFF}".into()),
        ("a NUL character", vec![0]),
        ("a megabyte of NUL characters", vec![0; 1 << 20]),
        ("more than a megabyte", vec![b'#'; (1 << 20) + 1]),
        ("100 MB", vec![b'\n'; 100_000_000]),
        ("Latin-1", b"# caf\xE9\n".to_vec()),
        ("UTF-16", "\u{FEFF}seed = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("JSON", b"{\"data\": {\"train\": \"train.csv\"}}".to_vec()),
        ("YAML", b"data:\n  train: train.csv\n".to_vec()),
        ("a table of CSV", b"text,label\na,b\n".to_vec()),
        ("an unclosed table", b"[data\n".to_vec()),
        ("an unclosed array", b"[data]\ntrain = [\"a.csv\",\n".to_vec()),
        ("an unclosed text", b"[data]\ntrain = \"a.csv\n".to_vec()),
        ("an unclosed text of lines", b"[data]\ntrain = \"\"\"a.csv\n".to_vec()),
        ("an unknown escape", b"[data]\ntrain = \"a\\q\"\n".to_vec()),
        ("an escape of half a character", b"[data]\ntrain = \"\\ud800\"\n".to_vec()),
        ("a control character in a comment", b"# \x1b[31m\n[data]\ntrain = \"a.csv\"\n".to_vec()),
        ("carriage returns alone", b"[data]\rtrain = \"a.csv\"\r".to_vec()),
        ("a key without a value", b"[data]\ntrain =\n".to_vec()),
        ("a value without a key", b"[data]\n= \"a.csv\"\n".to_vec()),
        ("a key twice", b"[data]\ntrain = \"a.csv\"\ntrain = \"b.csv\"\n".to_vec()),
        ("a table twice", b"[data]\ntrain = \"a.csv\"\n[data]\n".to_vec()),
        ("a table that is a value", b"data.train = \"a.csv\"\n[data.train.more]\n".to_vec()),
        ("an array of tables", b"[[data]]\ntrain = \"a.csv\"\n".to_vec()),
        ("arrays 10,000 deep", [b"a = ".to_vec(), repeated("[", 10_000)].concat()),
        ("tables 10,000 deep", [b"a = ".to_vec(), repeated("{a=", 10_000)].concat()),
        ("a key 10,000 deep", [repeated("a.", 10_000), b"a = 1".to_vec()].concat()),
        ("a header 10,000 deep", [b"[".to_vec(), repeated("a.", 10_000), b"a]".to_vec()].concat()),
        ("a key of 900 kB", [repeated("k", 900_000), b" = 1\n".to_vec()].concat()),
        ("a number of 900 kB", [b"seed = ".to_vec(), repeated("9", 900_000)].concat()),
        ("50,000 unknown keys", (0..50_000).map(|n| format!("k{n} = {n}\n")).collect::<String>().into_bytes()),
    ]
}

/// A line that makes a good config bad, behind `[data]\ntrain = "train.csv"`, and what is told of it.
const LINES: &[(&str, &str)] = &[
    // Keys and kinds.
    ("sed = 1", "unknown key `sed`"),
    ("trian = \"a.csv\"", "unknown key `trian`"),
    ("[train]\nepoch = 3", "unknown key `epoch`"),
    ("[evil]\nrun = \"rm -rf /\"", "unknown key `evil`"),
    ("[train]\noptimizer.adam.betas = [0.9, 0.999]", "unknown key `betas`"),
    ("[model]\nattention.flash = {}", "unknown kind `flash`"),
    ("[model]\nattention = { dot = {}, additive = {} }", "names two kinds"),
    ("[model]\nattention = {}", "is empty"),
    ("[train]\noptimizer = \"adam\"", "takes a table"),
    ("[train]\noptimizer.adam = {}\noptimizer.sgd = {}", "names two kinds"),
    ("[train]\nschedule.warp = {}", "unknown kind `warp`"),
    ("[model]\npooling = \"sum\"", "unknown value `sum`"),
    ("[model]\nhead = \"hinge\"", "unknown value `hinge`"),
    ("[tokenizer.magic]", "unknown kind `magic`"),
    ("[tokenizer.file]", "path"),
    // Types.
    ("[train]\nepochs = \"5\"", "`train.epochs` is a string"),
    ("[train]\nepochs = 5.0", "`train.epochs` is a float"),
    ("[train]\nepochs = true", "`train.epochs` is a boolean"),
    ("[train]\nepochs = []", "`train.epochs` is an array"),
    ("[train]\nepochs = {}", "`train.epochs` is a table"),
    ("[train]\nepochs = 1979-05-27", "`train.epochs` is a date"),
    ("header = \"yes\"", "`data.header` is a string"),
    ("labels = [\"a\"]", "`data.labels` is an array"),
    ("drop = \"a\"", "`data.drop` is a string"),
    ("encoding = 8", "`data.encoding` is an integer"),
    // Ranges.
    ("[train]\nepochs = 0", "`train.epochs` is 0"),
    ("[train]\nepochs = -1", "`train.epochs` is -1"),
    ("[train]\nepochs = 9223372036854775807", "`train.epochs` is 9223372036854775807"),
    ("[train]\nepochs = 9223372036854775808", "`train.epochs` is 9223372036854775808"),
    ("[train]\nepochs = 18446744073709551616", "18446744073709551616"),
    ("[train]\nepochs = 0xFFFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFFFF"),
    ("[train]\nbatch_size = 0", "`train.batch_size` is 0"),
    ("[train]\nbatch_size = 1_048_577", "`train.batch_size` is 1048577"),
    ("[train]\nbatch_tokens = 0", "`train.batch_tokens` is 0"),
    ("[train]\noptimizer.adam.learning_rate = 0", "`train.optimizer.adam.learning_rate` is 0"),
    ("[train]\noptimizer.adam.learning_rate = -1e-3", "learning_rate` is -1e-3"),
    ("[train]\noptimizer.adam.learning_rate = nan", "learning_rate` is nan"),
    ("[train]\noptimizer.adam.learning_rate = inf", "learning_rate` is inf"),
    ("[train]\noptimizer.adam.learning_rate = 1e309", "learning_rate` is 1e309"),
    ("[train]\nlabel_smoothing = 1", "`train.label_smoothing` is 1"),
    ("[train]\nema = 1.0", "`train.ema` is 1.0"),
    ("[train]\nthreshold = nan", "`train.threshold` is nan"),
    ("[train]\nmax_grad_norm = 0", "`train.max_grad_norm` is 0"),
    ("[train]\nkeep_checkpoints = 0", "`train.keep_checkpoints` is 0"),
    ("[train]\nloss.focal.gamma = -1", "gamma` is -1"),
    ("[train]\nclass_weights = { good = 0 }", "`train.class_weights.good` is 0"),
    ("[model]\ndropout = 1.0", "`model.dropout` is 1.0"),
    ("[model]\ndropout = -0.1", "`model.dropout` is -0.1"),
    ("[model]\ndropout = nan", "`model.dropout` is nan"),
    ("[model]\nmax_length = 0", "`model.max_length` is 0"),
    ("[model]\nmax_length = 1099511627776", "`model.max_length` is 1099511627776"),
    ("[model]\nembedding.dim = 0", "`model.embedding.dim` is 0"),
    ("[model]\nembedding.dim = 1099511627776", "`model.embedding.dim` is 1099511627776"),
    ("[model]\nattention.transformer.n_layers = 1099511627776", "n_layers` is 1099511627776"),
    ("[model]\nattention.transformer.d_feed_forward = 1099511627776", "d_feed_forward` is 1099511627776"),
    ("[tokenizer.word]\nvocab_size = 1099511627776", "`tokenizer.word.vocab_size` is 1099511627776"),
    ("[features]\nword_ngrams = 2\nbuckets = 1125899906842624", "`features.buckets` is 1125899906842624"),
    ("max_line_bytes = 1", "`data.max_line_bytes` is 1"),
    ("max_line_bytes = 1099511627776", "`data.max_line_bytes` is 1099511627776"),
    ("max_expansion = 0", "`data.max_expansion` is 0"),
    ("skip_bad_rows = -1", "`data.skip_bad_rows` is -1"),
    ("validation = { fraction = 0 }", "`data.validation.fraction` is 0"),
    ("validation = { fraction = 1.5 }", "`data.validation.fraction` is 1.5"),
    ("validation = { fraction = nan }", "`data.validation.fraction` is nan"),
    // Memory: a table that no machine has room for is refused before it is made.
    ("[model]\nembedding.dim = 4096\n[tokenizer.word]\nvocab_size = 2_000_000", "2000000 × 4096"),
    ("[model]\nembedding.dim = 300\n[features]\nword_ngrams = 2\nbuckets = 16_777_216", "16777216 × 300"),
    // Names and paths.
    ("[train]\n[model]\n[features]\n[data.fold]\nof = 1\nindex = 1", "`data.fold"),
    ("fold = { of = 5, index = 6 }", "`data.fold"),
    ("encoding = \"utf-9\"", "`data.encoding`"),
    ("format = \"xml\"", "unknown value `xml`"),
    ("delimiter = \"ab\"", "`data.delimiter`"),
    ("delimiter = \"\\n\"", "`data.delimiter`"),
    ("label_separator = \"\"", "`data.label_separator` is empty"),
    ("text = \"label\"", "the same column"),
    ("text = [\"a\", \"a\"]", "names the column `a` twice"),
    ("header = false", "must be a column number"),
    ("validation = \"\"", "`data.validation`"),
    ("test = \"a.csv\"\nvalidation = \"a.csv\"", "the same file"),
    ("validation = { fraction = 0.6 }\ntest = { fraction = 0.6 }", "leaves nothing to train on"),
    // Between options.
    ("[model]\nembedding.dim = 6\nattention.transformer.n_heads = 4", "must divide"),
    ("[model]\npositions = \"rotary\"\nattention.dot = {}", "rotary"),
    ("[model]\nmasking = false", "masking"),
    ("[model]\nembedding.frozen = true", "frozen"),
    ("[model]\nmax_length = 10\nwindows.stride = 11", "stride"),
    ("[model]\nattention.bidirectional = {}", "compares two texts"),
    ("[train]\nbatch_size = 2\naccumulation_steps = 4", "cannot be computed in 4 parts"),
    ("[train]\nbatch_size = 2\nbatch_tokens = 100", "leave one out"),
    ("[train]\nearly_stopping = {}", "early stopping needs"),
    ("[train]\nlearning_rates.hed = 0.1", "`hed`"),
    ("[tokenizer.char]\n[features]\ncharacter_ngrams = {}", "needs `tokenizer.word`"),
    ("multi_label = true\n[model]\nhead = \"softmax\"", "chooses one label"),
];

/// Lines at the top of a config, before any table.
const TOP: &[(&str, &str)] = &[
    ("name = \"\"", "`name` is empty"),
    ("name = \"..\"", "names no directory of its own"),
    ("name = \"../../evil\"", "`name` holds '/'"),
    ("name = \"a\\u0000b\"", "`name` holds"),
    ("name = \"a\\u001b[31m\"", "`name` holds"),
    ("seed = -1", "`seed` is -1"),
    ("seed = 9223372036854775808", "`seed` is 9223372036854775808"),
    ("backend = \"\"", "there is no backend ``"),
    ("backend = \"../evil.so\"", "there is no backend"),
];

#[test]
fn configs_that_cannot_be_used() {
    let mut cases: Vec<(String, Vec<u8>, &str)> =
        files().into_iter().map(|(name, bytes)| (name.to_owned(), bytes, FILE)).collect();
    let data = "[data]\ntrain = \"train.csv\"\n";
    cases.extend(LINES.iter().map(|(line, told)| ((*line).to_owned(), format!("{data}{line}\n").into_bytes(), *told)));
    cases.extend(TOP.iter().map(|(line, told)| ((*line).to_owned(), format!("{line}\n{data}").into_bytes(), *told)));
    assert!(cases.len() >= 80, "{} cases", cases.len());
    assert_eq!(cases.iter().map(|(name, ..)| name).collect::<BTreeSet<_>>().len(), cases.len());

    let dir = with_data("hostile-configs", 2);
    let before = dir.list("").into_iter().chain(["c.toml".to_owned()]).collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    for (name, bytes, told) in &cases {
        dir.file("c.toml", bytes);
        let (code, stderr) = limited(&dir.path(""), &["train", "c.toml"]);
        let is_told = stderr.contains("c.toml") && stderr.contains(told);
        let harmless = !stderr.contains(|c: char| c.is_control() && c != '\n') && stderr.len() < 4 << 20;
        if code != Some(2) || !is_told || !harmless {
            let start: String = stderr.chars().take(500).collect();
            wrong.push(format!("{name}: {code:?}, {is_told}, {harmless}, {} bytes: {start}", stderr.len()));
        }
        if dir.list("").into_iter().collect::<BTreeSet<_>>() != before {
            wrong.push(format!("{name}: left {:?}", dir.list("")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} configs that cannot be used", cases.len());
}
