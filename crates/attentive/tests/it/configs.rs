//! The configs that are shipped: each is valid, says how it is run, and is named like its file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::directory::repository;

fn shipped() -> Vec<PathBuf> {
    let mut configs: Vec<PathBuf> =
        fs::read_dir(repository().join("configs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    configs.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    configs.sort();
    assert!(configs.iter().any(|path| path.ends_with("quickstart.toml")), "{configs:?}");
    configs
}

#[test]
fn every_config_is_valid_and_named_like_its_file() {
    for path in shipped() {
        let output = Command::new(env!("CARGO_BIN_EXE_attentive"))
            .args(["train", "--dry-run"])
            .arg(&path)
            .current_dir(repository())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let resolved: toml::Table = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        assert_eq!(resolved["name"].as_str(), path.file_stem().unwrap().to_str(), "{}", path.display());
    }
}

#[test]
fn every_header_names_the_command_and_scripts_that_exist() {
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let header: String = text.lines().take_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let file = path.file_name().unwrap().to_str().unwrap();
        let command = format!("#   attentive train configs/{file}");
        assert!(header.lines().any(|line| line.starts_with(&command)), "{file} lacks `{command}`");
        for word in header.split(|c: char| c.is_whitespace() || "():,;`".contains(c)) {
            if word.starts_with("scripts/") {
                assert!(repository().join(word).is_file(), "{file} names `{word}`, which is not there");
            }
        }
    }
}
