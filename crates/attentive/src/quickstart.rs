//! The shipped dataset, which is inside the library: short reviews where negation, contrast and quoted opinions decide.

use std::path::Path;

use attentive_train::{StagedDirectory, StagingError};

/// The config that trains on it; it finds the data in the directory `quickstart`.
pub const QUICKSTART_CONFIG: &str = "quickstart.toml";

/// Where the config of the repository finds the data.
const IN_REPOSITORY: &str = "datasets/quickstart/";

/// Writes the shipped dataset and its config to a new directory.
///
/// # Errors
/// When there is something at `directory`, or it cannot be written.
pub fn write_quickstart(directory: &Path) -> Result<(), StagingError> {
    let staged = StagedDirectory::new(directory)?;
    let config = include_str!("../quickstart.toml");
    let config = config.replace(IN_REPOSITORY, &format!("{}/", directory.display()));
    let files = [
        (QUICKSTART_CONFIG, config.as_str()),
        ("train.csv", include_str!("../quickstart/train.csv")),
        ("validation.csv", include_str!("../quickstart/validation.csv")),
        ("test.csv", include_str!("../quickstart/test.csv")),
    ];
    for (name, text) in files {
        staged.write(name, text.as_bytes())?;
    }
    staged.publish()
}
