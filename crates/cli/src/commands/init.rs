use crate::args::Init;
use crate::failure::Failure;
pub(super) fn init(args: &Init) -> Result<(), Failure> {
    let _ = args;
    Ok(())
}
