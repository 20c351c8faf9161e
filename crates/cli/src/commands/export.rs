//! `attentive export`: a trained classifier in a format that others read, written when it has been read back and run.

use attentive_backend::Backend;
use attentive_data::load_corpus;
use attentive_export::{OwnTexts, own_texts, write_bundle};
use attentive_train::Report;

use super::classifier::{Exported, size};
use crate::args::{Export, ExportFormat, Talk};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{bytes, count};

pub(super) fn export(args: &Export, talk: Talk) -> Result<(), Failure> {
    let exported = Exported::load(&args.run, args.backend.as_deref())?;
    match args.format {
        ExportFormat::Bundle => bundle(args, &exported, talk),
    }
}

fn bundle(args: &Export, exported: &Exported, talk: Talk) -> Result<(), Failure> {
    let Exported { predictor, opened, account, run } = exported;
    let report = run.report::<Report>()?;
    let own = texts(exported, talk)?;
    let verified =
        write_bundle(predictor, account, report.as_ref(), &own, &args.output, &Backend::names(), &opened.device);
    let verified = verified.map_err(Failure::Export)?;
    let output = args.output.display();
    print(&format!(
        "bundle `{output}`, {}\n{} examples come out the same on {} ({}), within {:.1e}\nnext: `attentive predict {output} \
         \"some text\"`, or read `{output}/README.md`\n",
        bytes(size(&args.output)),
        count(verified.n as u64),
        opened.backend,
        opened.description,
        verified.largest,
    ))
}

/// Some texts of the run's own data, of the split that it was least fitted to.
fn texts(exported: &Exported, talk: Talk) -> Result<OwnTexts, Failure> {
    let config = exported.config();
    let corpus = load_corpus(&config.data, config.seed)?;
    if corpus.manifest.fingerprint != exported.account.manifest.fingerprint && !talk.quiet {
        let warning = Style::for_stderr().error("warning:");
        tell(&format!("{warning} the data files have changed since the run was made; the examples are from what is there"));
    }
    Ok(own_texts(corpus.test.as_ref().or(corpus.validation.as_ref()).unwrap_or(&corpus.train)))
}
