//! Finds devices and checks that they compute. Burn panics where a driver fails; the panic ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor};

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "Burn 0.22 is the last line with ndarray, and the project stays on it")]
pub(crate) fn ndarray() -> Option<Device> {
    Some(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
pub(crate) fn ndarray() -> Option<Device> {
    None
}

#[cfg(feature = "flex")]
pub(crate) fn flex() -> Option<Device> {
    Some(Device::flex())
}

#[cfg(not(feature = "flex"))]
pub(crate) fn flex() -> Option<Device> {
    None
}

/// The best device of the wgpu backend: a discrete GPU before an integrated one, before a virtual one, before a
/// software renderer.
#[cfg(feature = "wgpu")]
pub(crate) fn wgpu() -> Option<Device> {
    use burn::tensor::DeviceKind;
    gpu().or_else(|| find(&[DeviceKind::Cpu]))
}

#[cfg(not(feature = "wgpu"))]
pub(crate) fn wgpu() -> Option<Device> {
    None
}

#[cfg(feature = "wgpu")]
fn gpu() -> Option<Device> {
    use burn::tensor::DeviceKind;
    find(&[DeviceKind::DiscreteGpu(0), DeviceKind::IntegratedGpu(0), DeviceKind::VirtualGpu(0)])
}

#[cfg(feature = "wgpu")]
fn find(kinds: &[burn::tensor::DeviceKind]) -> Option<Device> {
    use burn::tensor::DeviceType;
    let found = quietly(|| Device::enumerate(DeviceType::Wgpu).into_vec()).ok()?;
    kinds.iter().map(|kind| Device::wgpu(kind.clone())).find(|device| found.contains(device))
}

/// Whether the wgpu backend sees a GPU that is not a software renderer.
pub(crate) fn has_gpu() -> bool {
    #[cfg(feature = "wgpu")]
    return may_have_gpu() && gpu().is_some();
    #[cfg(not(feature = "wgpu"))]
    return false;
}

/// Linux shows a GPU as a device file. Where there is none, the graphics libraries need not be loaded, which takes a good part
/// of a second and may have them complain on stderr.
#[cfg(feature = "wgpu")]
fn may_have_gpu() -> bool {
    !cfg!(target_os = "linux")
        || ["/dev/dri", "/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0", "/dev/mali0"]
            .iter()
            .any(|file| std::path::Path::new(file).exists())
}

/// How many threads a CPU backend uses.
pub(crate) fn threads() -> String {
    match std::thread::available_parallelism() {
        Ok(n) if n.get() == 1 => "1 thread".to_string(),
        Ok(n) => format!("{n} threads"),
        Err(_) => "CPU".to_string(),
    }
}

/// Adds two numbers on the device; gives the name of the device if it has one.
pub(crate) fn compute(device: &Device) -> Result<Option<String>, String> {
    let sum = quietly(|| {
        let sum = Tensor::<1>::ones([2], device).sum();
        sum.try_into_scalar::<f32>().map_err(|error| error.to_string())
    })??;
    if sum != 2.0 {
        return Err(format!("it says that 1 + 1 is {sum}"));
    }
    Ok(name(device))
}

#[cfg(feature = "wgpu")]
fn name(device: &Device) -> Option<String> {
    quietly(|| device.identity().map(|identity| identity.name)).ok().flatten()
}

#[cfg(not(feature = "wgpu"))]
fn name(_: &Device) -> Option<String> {
    None
}

/// The panic hook belongs to the whole process: one probe at a time may replace it.
static HOOK: Mutex<()> = Mutex::new(());

/// Runs `work` and turns a panic into its message, printing nothing.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let _guard = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("the driver panicked without a message").to_string()
    })
}
