//! The settings of Burn and CubeCL. Both look for them in `burn.toml` and `cubecl.toml`, from the working directory
//! upwards, when they are first used; such a file could choose other kernels, print, and write logs and caches anywhere.

use burn_std::config::{BurnConfig, RuntimeConfig};

/// Settles on Burn's own defaults, which no file and no environment variable changes, and on no cache on the disk. To be
/// called before a device is used; settings that the program made or read before stay.
pub(crate) fn settle() {
    BurnConfig::try_set(BurnConfig::default());
    #[cfg(feature = "wgpu")]
    settle_cubecl();
}

#[cfg(feature = "wgpu")]
fn settle_cubecl() {
    use cubecl_runtime::config::CubeClRuntimeConfig;
    use cubecl_runtime::config::autotune::AutotuneConfig;
    use cubecl_runtime::config::throughput::ThroughputConfig;

    CubeClRuntimeConfig::try_set(CubeClRuntimeConfig {
        autotune: AutotuneConfig { disable_cache: true, ..AutotuneConfig::default() },
        throughput: ThroughputConfig { disable_cache: true },
        ..CubeClRuntimeConfig::default()
    });
}
