//! What a user reads for a bad config, word for word, against a small config shaped like the real one.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::document::Document;
use super::problem::{ConfigError, MAX_BYTES, Place};
use super::reference::reference;

mod small;
mod sections;
mod text;

use self::small::*;

#[test]
fn a_good_config_is_read() {
    let text = "name = \"x\"\n[data]\ntrain = \"a\"\nvalidation = { fraction = 0.1 }\n\
                [model.attention.dot]\nheads = 2\n[train]\ndropout = 1\noptimizer.sgd = { learning_rate = 1e-2 }\n";
    let config = read(text, &["train.epochs=9", "model.pooling=max"]).expect("it is good");
    assert_eq!(config.data.validation, Some(Validation::Cut { fraction: 0.1 }));
    assert_eq!(config.model, Model { attention: Attention::Dot(Scale { heads: 2 }), pooling: Pooling::Max });
    assert_eq!((config.train.epochs, config.train.dropout), (9, 1.0));
    assert_eq!(config.train.optimizer, Optimizer::Sgd(Sgd { learning_rate: 0.01, momentum: None }));
}

#[test]
fn all_problems_are_reported_at_once_in_order() {
    assert_report(
        "seed = -1\n[data]\ntrain = \"a\"\n\n[train]\nepoch = 5\nbatch_size = 0 # none\ndropout = \"0.1\"\noptimizer.adamm = {}\n",
        &["model.pooling=meen"],
        "
c.toml:1:8: `seed` is -1, but must be at least 0
  |
1 | seed = -1
  |        ^^
  |
c.toml:6:1: unknown key `epoch` in `[train]`
  |
6 | epoch = 5
  | ^^^^^ did you mean `epochs`?
  |
c.toml:7:14: `train.batch_size` is 0, but must be from 1 to 65536
  |
7 | batch_size = 0 # none
  |              ^
  |
c.toml:8:11: `train.dropout` is a string, but must be a number from 0 to 1
  |
8 | dropout = \"0.1\"
  |           ^^^^^ write `0.1` without quotes
  |
c.toml:9:11: unknown kind `adamm` for `train.optimizer`
  |
9 | optimizer.adamm = {}
  |           ^^^^^ did you mean `adam`?
  |
--set model.pooling=meen: unknown value `meen` for `model.pooling`
   = did you mean `mean`?
6 problems in c.toml and --set",
    );
}

#[test]
fn unknown_keys() {
    assert_line(
        "train.learning_rate = 1",
        "2:7 unknown key `learning_rate` in `[train]`",
        "      ^^^^^^^^^^^^^ it belongs in `[train.optimizer.adam]` or `[train.optimizer.sgd]`",
    );
    assert_line("epochs = 1", "2:1 unknown key `epochs`", "^^^^^^ it belongs in `[train]`");
    assert_line(
        "train.seed = 1",
        "2:7 unknown key `seed` in `[train]`",
        "      ^^^^ it belongs above the first `[table]`",
    );
    assert_line(
        "model.colour = 1",
        "2:7 unknown key `colour` in `[model]`",
        "      ^^^^^^ the keys are `attention` and `pooling`",
    );
    assert_line(
        "\"naïve käse\" = 1",
        "2:1 unknown key `\"naïve käse\"`",
        "^^^^^^^^^^^^ the keys are `name`, `seed`, `data`, `model`, `train` and `class_weights`",
    );
    // The required `fraction` is not reported as missing on top.
    assert_line(
        "data.validation = { fracton = 0.1 }",
        "2:21 unknown key `fracton` in `[data.validation]`",
        "                    ^^^^^^^ did you mean `fraction`?",
    );
    assert_line(
        "train.optimizer = { sgd = { learning_rate = 1 }, momentum = 0.9 }",
        "2:50 unknown key `momentum` in `[train.optimizer]`",
        "                                                 ^^^^^^^^ it belongs in `[train.optimizer.sgd]`",
    );
}

#[test]
fn wrong_types() {
    assert_line(
        "train.epochs = \"five\"",
        "2:16 `train.epochs` is a string, but must be an integer of at least 1",
        "               ^^^^^^",
    );
    assert_line(
        "train.epochs = 5.0",
        "2:16 `train.epochs` is a float, but must be an integer of at least 1",
        "               ^^^ write `5`",
    );
    assert_line(
        "name = 5",
        "2:8 `name` is an integer, but must be a string of the characters `A-Za-z0-9._-`",
        "       ^ write `\"5\"`",
    );
    assert_line("train = []", "2:9 `train` is an array, but must be a table", "        ^^");
    assert_line(
        "model.pooling = {}",
        "2:17 `model.pooling` is a table, but must be `max` or `mean`",
        "                ^^",
    );
    assert_line(
        "data.validation = 1979-05-27",
        "2:19 `data.validation` is a date or time, but must be a string or a table",
        "                  ^^^^^^^^^^",
    );
    assert_line(
        "class_weights.\"a b\" = true",
        "2:23 `class_weights.\"a b\"` is a boolean, but must be a number",
        "                      ^^^^",
    );
    assert_line(
        "data.lowercase = \"true\"",
        "2:18 `data.lowercase` is a string, but must be `true` or `false`",
        "                 ^^^^^^ write `true` without quotes",
    );
}

#[test]
fn ranges() {
    assert_line(
        "train.epochs = 4_294_967_296",
        "2:16 `train.epochs` is 4294967296, but must be from 1 to 4294967295",
        "               ^^^^^^^^^^^^^",
    );
    assert_line(
        "seed = 9223372036854775808",
        "2:8 `seed` is 9223372036854775808, but must be from 0 to 9223372036854775807",
        "       ^^^^^^^^^^^^^^^^^^^",
    );
    assert_line(
        "seed = 0x8000000000000000",
        "2:8 `seed` is 0x8000000000000000, but must be from 0 to 9223372036854775807",
        "       ^^^^^^^^^^^^^^^^^^",
    );
    assert_line("train.patience = 0", "2:18 `train.patience` is 0, but must be at least 1", "                 ^");
    assert_line("train.dropout = 1.5", "2:17 `train.dropout` is 1.5, but must be from 0 to 1", "                ^^^");
    assert_line(
        "train.dropout = nan",
        "2:17 `train.dropout` is nan, but must be a finite number from 0 to 1",
        "                ^^^",
    );
    assert_line(
        "train.optimizer.adam.learning_rate = 1e309",
        "2:38 `train.optimizer.adam.learning_rate` is 1e309, but must be a finite number above 0",
        "                                     ^^^^^",
    );
    assert_line(
        "train.optimizer.adam.learning_rate = -0.0",
        "2:38 `train.optimizer.adam.learning_rate` is -0.0, but must be above 0",
        "                                     ^^^^",
    );
    assert_line(
        "class_weights.x = 1e39",
        "2:19 `class_weights.x` is 1e39, but must be at most 3.4028234663852886e38",
        "                  ^^^^",
    );
    assert_line(
        "data.validation = { fraction = 1 }",
        "2:32 `data.validation.fraction` is 1, but must be above 0 and below 1",
        "                               ^",
    );
    assert_line("name = \"\"", "2:8 `name` is empty", "       ^^");
    assert_line(
        "name = \"../x\"",
        "2:8 `name` holds '/', but only the characters `A-Za-z0-9._-` are allowed",
        "       ^^^^^^",
    );
    assert_line("data.text = []", "2:13 `data.text` has 0 items, but must have from 1 to 2", "            ^^");
    assert_line(
        "data.text = [\"a\", 1]",
        "2:19 `data.text[1]` is an integer, but must be a string",
        "                  ^ write `\"1\"`",
    );
}

#[test]
fn tagged_enums() {
    assert_line(
        "train.optimizer = \"adam\"",
        "2:19 `train.optimizer` is the string `adam`, but `adam` takes a table of its settings",
        "                  ^^^^^^ write `optimizer.adam = {}` or `[train.optimizer.adam]`",
    );
    assert_line(
        "train.optimizer = \"adamw\"",
        "2:19 unknown value `adamw` for `train.optimizer`",
        "                  ^^^^^^^ did you mean `optimizer.adam = {}` or `[train.optimizer.adam]`?",
    );
    assert_line(
        "train.optimizer = \"x\"",
        "2:19 unknown value `x` for `train.optimizer`",
        "                  ^^^ choose `adam` or `sgd`",
    );
    assert_line(
        "train.optimizer = 3",
        "2:19 `train.optimizer` is an integer, but must be a table that names `adam` or `sgd`",
        "                  ^",
    );
    assert_line(
        "model.attention = { dot = {}, scaled_dot = {} }",
        "2:31 `model.attention` names two kinds, `dot` and `scaled_dot`; keep one",
        "                              ^^^^^^^^^^",
    );
    assert_line(
        "model.attention.flash = {}",
        "2:17 unknown kind `flash` for `model.attention`",
        "                ^^^^^ choose one of `dot`, `scaled_dot` or `none`",
    );
    assert_line(
        "[train.optimizer]",
        "2:1 `train.optimizer` is empty, but must name `adam` or `sgd`",
        "^^^^^^^^^^^^^^^^^",
    );
    assert_line(
        "model.attention.none = { heads = 1 }",
        "2:24 `model.attention.none` takes no settings",
        "                       ^^^^^^^^^^^^^ write `none = {}`",
    );
    assert_line(
        "model.pooling = \"sum\"",
        "2:17 unknown value `sum` for `model.pooling`",
        "                ^^^^^ choose `max` or `mean`",
    );
    assert_line(
        "train.optimizer.sgd = {}",
        "2:23 missing key `learning_rate` in `[train.optimizer.sgd]`",
        "                      ^^ `learning_rate` is a number above 0",
    );
}

#[test]
fn missing_keys() {
    assert_report(
        "",
        &[],
        "
c.toml:1:1: missing key `data`
  |
1 |
  | ^ `data` is a table with at least `train`
  |
1 problem in c.toml",
    );
    assert_report(
        "# here\n[data]\nlowercase = true\n",
        &[],
        "
c.toml:2:1: missing key `train` in `[data]`
  |
2 | [data]
  | ^^^^^^ `train` is a string that is not empty
  |
1 problem in c.toml",
    );
}

#[test]
fn overrides() {
    let good = "data.train = \"a\"\n[train]\nepochs = 1\n[train.optimizer.adam]\nlearning_rate = 0.1\n";
    let switched = read(good, &["train.optimizer.sgd.learning_rate=0.5"]).expect("it is good").train.optimizer;
    assert_eq!(switched, Optimizer::Sgd(Sgd { learning_rate: 0.5, momentum: None }));
    let kept = read(good, &["train.optimizer.adam.learning_rate = 1"]).expect("it is good").train.optimizer;
    assert_eq!(kept, Optimizer::Adam(Adam { learning_rate: 1.0 }));
    let word = read(good, &["model.attention.dot.heads=2", "model.attention=none"]).expect("it is good");
    assert_eq!(word.model.attention, Attention::None);
    assert_eq!(read(good, &["data.train=/a/ü=b.tsv"]).expect("it is good").data.train, Path::new("/a/ü=b.tsv"));
    assert_report(
        good,
        &["train.batch_size=0", "train.epoch=5", "train.optimizer=sgd", "train.optimizer.sgd.momentum=0.9"],
        "
--set train.batch_size=0: `train.batch_size` is 0, but must be from 1 to 65536
--set train.epoch=5: unknown key `epoch` in `[train]`
   = did you mean `epochs`?
--set train.optimizer.sgd.momentum=0.9: missing key `learning_rate` in `[train.optimizer.sgd]`
   = `learning_rate` is a number above 0
3 problems in --set",
    );
    assert_report(
        good,
        &["train.optimizer=sgd", "train.epochs=\"2\"", "name.first=x"],
        "
--set train.optimizer=sgd: `train.optimizer` is the string `sgd`, but `sgd` takes a table of its settings
   = write `train.optimizer.sgd={}`
--set train.epochs=\"2\": `train.epochs` is a string, but must be an integer of at least 1
   = write `2` without quotes
--set name.first=x: `name` is a table, but must be a string of the characters `A-Za-z0-9._-`
3 problems in --set",
    );
    assert_report(
        good,
        &["train.epochs", "a b=1", "name=", "data.text=[1,", "=1", "a\nb=1", "seed.=1"],
        "
--set train.epochs: no value is given
   = write KEY=VALUE, such as `train.batch_size=64`
--set a b=1: `a b` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
--set name=: no value is given
   = an empty string is written `\"\"`
--set data.text=[1,: unclosed array
   = expected `]`
--set =1: `` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
--set a␊b=1: `a␊b` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
--set seed.=1: `seed.` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
7 problems in --set",
    );
}

#[test]
fn a_cross_field_problem_points_at_the_nearest_text() {
    let text = "data.train = \"a\"\ndata.text = [\"a\", \"b\"]\n[train]\nepochs = 2\n";
    let document = Document::parse(Path::new("c.toml"), text, &["seed=3".to_owned()], &schema()).expect("it is TOML");
    let place = |key: &str| match document.problem(key, "m").place {
        Some(Place::File { line, column, width, .. }) => (line, column, width),
        _ => (0, 0, 0),
    };
    assert_eq!(place("train.epochs"), (4, 10, 1));
    assert_eq!(place("train.optimizer.adam.learning_rate"), (3, 1, 7));
    assert_eq!(place("data.text[1]"), (2, 19, 3));
    assert_eq!(place("model"), (1, 1, 1));
    assert_eq!(document.problem("seed", "m").to_string(), "--set seed=3: m");
}

#[test]
fn what_only_serde_refuses_is_not_lost() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code)]
        data: BTreeMap<String, std::net::IpAddr>,
    }
    let document =
        Document::parse(Path::new("c.toml"), "[data]\ntrain = \"here\"\n", &[], &schema()).expect("it is TOML");
    let report = document.deserialize::<Outer>().expect_err("`here` is no address").to_string();
    assert_eq!(
        report,
        "c.toml:2:9: `data.train`: invalid IP address syntax\n  |\n2 | train = \"here\"\n  |         ^^^^^^\n  |\n1 problem in c.toml"
    );
}

#[test]
fn the_reference_is_written_from_the_schema() {
    let page = reference(&schema());
    for expected in [
        "\nA whole experiment.\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
        "| `name` | a string of the characters `A-Za-z0-9._-` | `\"\"` | Names the run. |\n",
        "| `data` | a table | required | Where the examples are. |\n",
        "| `class_weights` | a table whose values are each a number | `{}` |  |\n",
        "\n## `[data]`\n\nWhere the examples are.\n\n| key |",
        "| `validation` | a string or a table | none |  |\n",
        "| `text` | an array of 1 to 2 items, each a string | `[]` |  |\n",
        "\n### `[data.validation]`\n",
        "| `pooling` | `max` or `mean` | `\"mean\"` | `mean`: The mean over the tokens. |\n",
        "- `attention = \"none\"` (default): No attention.\n- `[model.attention.dot]`: Luong 2015.\n",
        "| `dropout` | a number from 0 to 1 | `0.1` |  |\n",
        "| `patience` | an integer of at least 1 | none | Stop after this many epochs without progress. |\n",
        "- `[train.optimizer.adam]` (default): Kingma and Ba 2015.\n- `[train.optimizer.sgd]`\n",
        "\n#### `[train.optimizer.adam]`\n\nKingma and Ba 2015.\n",
        "| `learning_rate` | a number above 0 | `0.001` |  |\n",
    ] {
        assert!(page.contains(expected), "{expected:?} is not in\n{page}");
    }
}

/// A config as long as one may be is longer once every default is written out.
#[test]
fn a_config_that_could_not_be_read_back_is_refused() {
    let config = |bytes: u64| {
        let text = format!("data.train = \"a.csv\"\ndata.drop = [\"{}\"]\n", "a".repeat(bytes as usize));
        super::Config::from_bytes(Path::new("c.toml"), text.into_bytes()).expect("it is short enough to be read")
    };
    assert!(config(MAX_BYTES - 4096).check_size().is_ok());
    let long = config(MAX_BYTES - 50);
    let Err(error @ ConfigError::LongWritten { .. }) = long.check_size() else { panic!("it is written longer") };
    assert_eq!(
        error.to_string(),
        format!(
            "the config takes {} bytes in `config.toml`, with every default written out, which holds at most 1048576",
            long.to_toml().len()
        )
    );
    let written = super::Config::from_bytes(Path::new("config.toml"), long.to_toml().into_bytes());
    assert!(matches!(written, Err(ConfigError::TooLong { .. })));
}
